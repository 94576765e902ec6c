/** What `verify` checks of content, pins and paths. */
import { contentIdOf, kind, linksOf } from '../codec/index.ts'
import type { CheckContext, CheckedEntry, Checker } from '../engine/index.ts'
import { contentKey, contentPrefix, parsePathKey, pathDomain, pathKey, pinPrefix } from './keys.ts'
import { formatPath } from './path.ts'

/** Every content has the hash it is stored under, and every nested content it links to is there. */
export function checkContent(): Checker {
  return {
    prefix: contentPrefix,
    async check(entries, context) {
      context.count('contents', entries.length)
      const links: { from: string; to: string }[] = []
      for (const entry of entries) collectLinks(entry, context, links)
      context.count('links', links.length)
      const present = await context.exist(links.map(({ to }) => contentKey(to)))
      links.forEach(({ from, to }, i) => {
        if (present[i] !== true)
          context.report('dangling-link', `content ${from}`, `it links to content ${to}, which is not in the store`)
      })
    },
  }
}

export function checkPins(): Checker {
  return {
    prefix: pinPrefix,
    async check(entries, context) {
      const present = await context.exist(entries.map(({ key }) => contentKey(key.slice(1))))
      entries.forEach(({ key }, i) => {
        if (present[i] !== true)
          context.report('dangling-pin', `pin ${key.slice(1)}`, 'the pinned content is not in the store')
      })
    },
  }
}

/** Every path lies in a group. What a link points to need not exist: links may dangle. */
export function checkPaths(): Checker {
  return {
    prefix: pathDomain.slice(0, 1),
    async check(entries, context) {
      const parents = entries.map(({ key }) => parsePathKey(key).parent)
      const keys = parents.map((parent) =>
        parent.length === 0 ? undefined : pathKey(parent.slice(0, -1), parent.at(-1) as string),
      )
      const wanted = keys.filter((key): key is string => key !== undefined)
      const present = await context.exist(wanted)
      const known = new Map(wanted.map((key, i) => [key, present[i]]))
      entries.forEach((entry, i) => {
        const key = keys[i]
        const path = formatPath([...(parents[i] ?? []), parsePathKey(entry.key).name])
        if (key !== undefined && known.get(key) !== true)
          context.report('orphan-path', path, 'the group it lies in is missing')
        if (entry.kind < kind.pathBytes || entry.kind > kind.pathGroup)
          context.report('wrong-kind', path, `a path entry has kind ${entry.kind}`)
      })
    },
  }
}

function collectLinks(entry: CheckedEntry, context: CheckContext, links: { from: string; to: string }[]): void {
  const id = entry.key.slice(1)
  if (entry.kind !== kind.contentMessage && entry.kind !== kind.contentBytes) {
    context.report('wrong-kind', `content ${id}`, `a content entry has kind ${entry.kind}`)
  } else if (contentIdOf(entry.payload) !== id) {
    context.report('content-hash', `content ${id}`, 'its bytes do not have this hash')
  } else if (entry.kind === kind.contentMessage) {
    for (const to of linksOf(entry.payload)) links.push({ from: id, to })
  }
}
