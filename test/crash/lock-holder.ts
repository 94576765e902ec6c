// Opens the store given as argument and says `open`, or the code, pid and message it was refused with. Then it waits
// to be killed or, when its standard input ends, closes the store.
import { writeSync } from 'node:fs'
import { open } from '../../src/index.ts'

const [, , location = ''] = process.argv
try {
  const store = await open(location)
  const id = await store.content.put({ by: 'holder' })
  writeSync(1, `open ${id}\n`)
  process.stdin.once('end', () => void store.close()).resume()
} catch (error) {
  const { code, detail, message } = error as { code: string; detail: { pid?: number }; message: string }
  writeSync(1, `refused ${code} ${detail.pid} ${message}\n`)
}
