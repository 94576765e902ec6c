/** The few text styles the command line uses; identity functions when colour is off. */
export interface Style {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
}

interface StyleOptions {
  /** `--no-color` was given. */
  readonly disabled: boolean
  readonly isTerminal: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Colour only on a terminal; NO_COLOR and --no-color turn it off, FORCE_COLOR turns it on elsewhere. */
export function createStyle(options: StyleOptions): Style {
  const { NO_COLOR: noColor, FORCE_COLOR: forceColor } = options.environment
  const off = options.disabled || (noColor !== undefined && noColor !== '')
  const forced = forceColor !== undefined && forceColor !== '' && forceColor !== '0'
  const on = !off && (forced || options.isTerminal)
  const code = (open: number, close: number) => (text: string) => (on ? `\u001b[${open}m${text}\u001b[${close}m` : text)
  return { good: code(32, 39), bad: code(31, 39), dim: code(2, 22), bold: code(1, 22) }
}
