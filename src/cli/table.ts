import type { Style } from './style.ts'
import { printable } from './text.ts'

export type Cell = string | number | { readonly text: string; readonly tone: 'good' | 'bad' | 'dim' }

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Rows under titles, columns as wide as their widest cell. No trailing blanks, no line break at the end. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly Cell[])[], style: Style): string {
  const widths = columns.map((column, index) => {
    return Math.max(column.title.length, ...rows.map((row) => cellText(row[index]).length))
  })
  const lines = [columns.map((column, index) => pad(column.title, widths[index] ?? 0, column.align))]
  for (const row of rows) {
    lines.push(
      columns.map((column, index) =>
        paint(row[index], pad(cellText(row[index]), widths[index] ?? 0, column.align), style),
      ),
    )
  }
  return lines
    .map((cells, index) => (index === 0 ? style.bold(cells.join('  ').trimEnd()) : cells.join('  ').trimEnd()))
    .join('\n')
}

/** `name  value` lines. */
export function formatFields(fields: readonly (readonly [name: string, value: Cell])[], style: Style): string {
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields
    .map(([name, value]) => `${style.dim(name.padEnd(width))}  ${paint(value, cellText(value), style)}`.trimEnd())
    .join('\n')
}

function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return ''
  return printable(typeof cell === 'object' ? cell.text : String(cell))
}

function pad(text: string, width: number, align: Column['align']): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width)
}

function paint(cell: Cell | undefined, padded: string, style: Style): string {
  return typeof cell === 'object' ? style[cell.tone](padded) : padded
}
