import { open, type OpenOptions, type Store } from '../index.ts'
import { explainError } from './explain-error.ts'
import type { Output } from './output.ts'
import type { Style } from './style.ts'
import type { Terminal } from './terminal.ts'

/** Options that every command has. */
export interface GlobalOptions {
  readonly store: string
  readonly json: boolean
  readonly debug: boolean
}

/** What a command runs with. Data go to `out`, everything said to the person goes through `say`. */
export interface Context {
  readonly terminal: Terminal
  readonly options: GlobalOptions
  /** `--store` was given, and is not the default. */
  readonly storeGiven: boolean
  readonly out: Output
  readonly outStyle: Style
  readonly errStyle: Style
  say(text: string): void
}

/** Opens the store without changing a byte, runs `use`, closes it. HOLDFAST_NOT_FOUND when there is none. */
export function withReadOnlyStore<R>(context: Context, use: (store: Store) => Promise<R>): Promise<R> {
  return withStore(context, context.options.store, { readOnly: true, createIfMissing: false }, use)
}

/** Opens a store, runs `use`, closes it whatever happens. */
export async function withStore<R>(
  context: Context,
  location: string,
  options: OpenOptions,
  use: (store: Store) => Promise<R>,
): Promise<R> {
  const store = await open(location, options)
  let result: R
  try {
    result = await use(store)
  } catch (error) {
    await closeAfterFailure(context, store)
    throw error
  }
  await store.close()
  return result
}

/** The first failure is the one to report; a failing close is told beside it. */
async function closeAfterFailure(context: Context, store: Store): Promise<void> {
  try {
    await store.close()
  } catch (error) {
    context.say(`holdfast: the store did not close either: ${explainError(error).message}`)
  }
}
