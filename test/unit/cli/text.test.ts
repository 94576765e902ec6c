import { describe, expect, test } from 'vitest'
import { createStyle } from '../../../src/cli/style.ts'
import { formatFields, formatTable } from '../../../src/cli/table.ts'
import { formatBytes, formatCount, formatDuration, plural, printable, printableText } from '../../../src/cli/text.ts'

const plain = createStyle({ disabled: true, isTerminal: true, environment: {} })

describe('text for people', () => {
  test('sizes, counts and durations are short', () => {
    expect([0, 1023, 1024, 1536, 5 * 1024 ** 3].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '1.5 KiB',
      '5.0 GiB',
    ])
    expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567'])
    expect([0.24, 12.6, 1500].map(formatDuration)).toEqual(['0.2 ms', '13 ms', '1.5 s'])
    expect([plural(1, 'slot'), plural(2, 'slot'), plural(1000, 'entry', 'entries')]).toEqual([
      '1 slot',
      '2 slots',
      '1,000 entries',
    ])
  })

  test('control characters are shown, not sent', () => {
    expect(printable('a\u001b[2Jb\n\u009b')).toBe('a\\u001b[2Jb\\u000a\\u009b')
    expect(printableText('a\tb\nc\r\u0007')).toBe('a\tb\nc\\u000d\\u0007')
  })

  test('columns line up and lines have no blanks at their ends', () => {
    const table = formatTable(
      [{ title: 'name' }, { title: 'n', align: 'right' }, { title: 'x' }],
      [
        ['a', 10, ''],
        ['long name', 5, 'y'],
      ],
      plain,
    )
    expect(table).toBe('name        n  x\na          10\nlong name   5  y')
    expect(
      formatFields(
        [
          ['a', 1],
          ['long', 'b\n'],
        ],
        plain,
      ),
    ).toBe('a     1\nlong  b\\u000a')
  })
})

describe('colour', () => {
  const colours = (disabled: boolean, isTerminal: boolean, environment: Record<string, string>) => {
    return createStyle({ disabled, isTerminal, environment }).bad('x') !== 'x'
  }

  test('is used on a terminal alone', () => {
    expect(colours(false, true, {})).toBe(true)
    expect(colours(false, false, {})).toBe(false)
  })

  test('is turned off by --no-color and by a NO_COLOR that is not empty, whatever else is set', () => {
    expect(colours(true, true, { FORCE_COLOR: '1' })).toBe(false)
    expect(colours(false, true, { NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false)
    expect(colours(false, true, { NO_COLOR: '' })).toBe(true)
  })

  test('is turned on elsewhere by FORCE_COLOR', () => {
    expect(colours(false, false, { FORCE_COLOR: '1' })).toBe(true)
    expect(colours(false, false, { FORCE_COLOR: '0' })).toBe(false)
  })
})
