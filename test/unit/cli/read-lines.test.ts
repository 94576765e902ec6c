import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type InputLine, LineError, readLines } from '../../../src/cli/read-lines.ts'

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

async function linesOf(text: string | Uint8Array, chunkSize = 3, bytesMax?: number): Promise<InputLine[]> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const lines: InputLine[] = []
  for await (const line of readLines(inChunks(bytes, chunkSize), bytesMax)) lines.push(line)
  return lines
}

describe('lines of an input', () => {
  test('a character cut in two by a chunk stays whole, whatever the chunks', async () => {
    const lines = ['grüße', '世界 🌍', '', 'x'.repeat(100)]
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (chunkSize) => {
        const found = await linesOf(lines.join('\n'), chunkSize)
        expect(found.map((line) => line.text)).toEqual(lines.filter((line) => line !== ''))
      }),
    )
  })

  test('line numbers count empty lines, and the bytes read end with the line', async () => {
    expect(await linesOf('a\n\nb\r\n')).toEqual([
      { number: 1, text: 'a', bytesRead: 2 },
      { number: 3, text: 'b', bytesRead: 6 },
    ])
  })

  test('a last line without an end counts, and an empty input has none', async () => {
    expect((await linesOf('a\nb')).map((line) => line.text)).toEqual(['a', 'b'])
    expect(await linesOf('')).toEqual([])
  })

  test('a byte order mark at the start is not part of the first line', async () => {
    expect((await linesOf('\ufeffa\nb')).map((line) => line.text)).toEqual(['a', 'b'])
  })

  test('a line that is not UTF-8 is named', async () => {
    const bytes = new Uint8Array([0x61, 0x0a, 0xc3, 0x28, 0x0a])
    await expect(linesOf(bytes)).rejects.toThrow(new LineError(2, 'is not valid UTF-8'))
  })

  test('a line over the limit is named before it is complete', async () => {
    await expect(linesOf(`ok\n${'x'.repeat(50)}`, 7, 20)).rejects.toMatchObject({ lineNumber: 2 })
    await expect(linesOf(`${'x'.repeat(21)}\nok`, 100, 20)).rejects.toMatchObject({ lineNumber: 1 })
    expect(await linesOf(`${'x'.repeat(20)}\nok`, 100, 20)).toHaveLength(2)
  })

  test('a line without end is given up at the limit, not gathered', async () => {
    let chunks = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; chunks < 1000; chunks += 1) yield new Uint8Array(10).fill(0x61)
    }
    await expect(readLines(endless(), 100).next()).rejects.toBeInstanceOf(LineError)
    expect(chunks).toBeLessThan(20)
  })
})
