import type { ContentId, Message, Store } from '../../index.ts'
import { notFoundError } from '../cli-error.ts'
import { type Context, withReadOnlyStore } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { stringifyValue } from '../json-value.ts'
import { printable, printableText } from '../text.ts'

interface GetOptions {
  readonly raw?: true
}

export function runGet(context: Context, name: string, options: GetOptions): Promise<ExitCode> {
  return withReadOnlyStore(context, async (store) => {
    const id = await contentIdOf(store, name)
    if (options.raw === true) {
      const bytes = id === undefined ? await store.paths.read(name) : await store.content.bytes(id)
      if (bytes === undefined) throw await nothingThere(store, name)
      await context.out.write(bytes)
      return exitCodes.ok
    }
    const value = id === undefined ? await store.paths.read(name) : await store.content.get(id)
    if (value === undefined) throw await nothingThere(store, name)
    await context.out.line(context.options.json ? stringifyValue(value) : formatForPeople(value))
    return exitCodes.ok
  })
}

/** 32 bytes as base64url: the last character stands for the last four bits. */
const contentIdPattern = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/** The content a name leads to: by its id, or through the links of a path that end in `data/<id>`. */
async function contentIdOf(store: Store, name: string): Promise<ContentId | undefined> {
  if (contentIdPattern.test(name) && (await store.content.has(name))) return name
  const target = await store.paths.resolve(name)
  return /^data\/([A-Za-z0-9_-]{43})$/.exec(target)?.[1]
}

async function nothingThere(store: Store, name: string): Promise<Error> {
  const type = await store.paths.type(name)
  const shown = printable(name)
  if (type === 'composite')
    return notFoundError(`${shown} is a group, not a value`, `list it with \`holdfast ls ${shown}\``)
  return notFoundError(`there is nothing at ${shown}`, '`holdfast ls` shows what there is')
}

/** Text as text, messages as indented JSON, other bytes as base64. */
function formatForPeople(value: Message | Uint8Array): string {
  if (!(value instanceof Uint8Array)) return stringifyValue(value, 2)
  const text = decodeText(value)
  return text !== undefined && printableText(text) === text ? text : stringifyValue(value)
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
