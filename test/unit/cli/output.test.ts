import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { BrokenPipeError, Output } from '../../../src/cli/output.ts'

test('output is handed over in large pieces and in order', async () => {
  const pieces: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      pieces.push(chunk)
      done()
    },
  })
  const output = new Output(stream)
  for (let index = 0; index < 20_000; index += 1) await output.line(`line ${index}`)
  await output.flush()
  expect(pieces.length).toBeLessThan(10)
  const lines = Buffer.concat(pieces).toString().split('\n')
  expect([lines.length, lines[0], lines[19_999]]).toEqual([20_001, 'line 0', 'line 19999'])
})

test('a reader that went away is a broken pipe, any other failure is itself', async () => {
  const failing = (code: string) => {
    return new Output(
      new Writable({
        write(_chunk, _encoding, done) {
          done(Object.assign(new Error(code), { code }))
        },
      }),
    )
  }
  const broken = failing('EPIPE')
  await broken.line('x')
  await expect(broken.flush()).rejects.toBeInstanceOf(BrokenPipeError)
  await expect(broken.line('y').then(() => broken.flush())).rejects.toBeInstanceOf(BrokenPipeError)
  const full = failing('ENOSPC')
  await full.line('x')
  await expect(full.flush()).rejects.toThrow('ENOSPC')
})
