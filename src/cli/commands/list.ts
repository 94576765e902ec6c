import { notFoundError } from '../cli-error.ts'
import { type Context, withReadOnlyStore } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { stringifyValue } from '../json-value.ts'
import { plural, printable } from '../text.ts'

interface ListOptions {
  readonly limit?: number
  readonly reverse?: true
}

/** Groups end in `/`. */
export function runList(context: Context, path: string | undefined, options: ListOptions): Promise<ExitCode> {
  return withReadOnlyStore(context, async ({ paths }) => {
    const parent = path === undefined ? [] : [path]
    const names = await paths.list(parent)
    if (names.length === 0 && path !== undefined) explainEmpty(path, await paths.type(parent))
    if (options.reverse === true) names.reverse()
    const shown = names.slice(0, options.limit)
    for (const name of shown) {
      const type = await paths.type([...parent, name])
      const text = `${printable(name)}${type === 'composite' ? '/' : ''}`
      await context.out.line(context.options.json ? stringifyValue({ name, type: type ?? null }) : text)
    }
    await context.out.flush()
    if (shown.length < names.length)
      context.say(`${plural(names.length - shown.length, 'more name')}: raise --limit to see them`)
    return exitCodes.ok
  })
}

function explainEmpty(path: string, type: 'simple' | 'composite' | undefined): void {
  if (type === undefined)
    throw notFoundError(`there is nothing at ${printable(path)}`, '`holdfast ls` shows what there is')
  if (type === 'simple')
    throw notFoundError(
      `${printable(path)} is a value, not a group`,
      `read it with \`holdfast get ${printable(path)}\``,
    )
}
