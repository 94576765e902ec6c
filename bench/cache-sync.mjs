/**
 * Small durable writes from many callers at once: `kv.set` at `sync`, beside what the disk can do: the same number of
 * bytes written and synced in a loop on one file.
 *
 * Run: npm run build, then node bench/cache-sync.mjs [callers] [seconds]
 */
import { fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { open } from '../dist/index.js'

const callers = Number(process.argv[2] ?? 64)
const seconds = Number(process.argv[3] ?? 5)
const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-'))

function syncsPerSecond() {
  const file = openSync(path.join(directory, 'raw'), 'w')
  const block = Buffer.alloc(callers * 48, 1)
  writeSync(file, Buffer.alloc(8 * 1024 * 1024))
  fdatasyncSync(file)
  const until = performance.now() + 1000
  let syncs = 0
  for (; performance.now() < until; syncs++) {
    writeSync(file, block, 0, block.length, (syncs * block.length) % (4 * 1024 * 1024))
    fdatasyncSync(file)
  }
  return syncs
}

const store = await open(path.join(directory, 'store'))
const kv = store.kv('users')
for (let round = 0; round < 3; round++) {
  const syncs = syncsPerSecond()
  const until = performance.now() + seconds * 1000
  const before = store.stats()
  const from = performance.now()
  const done = await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      let written = 0
      for (; performance.now() < until; written++) await kv.set(`user:${caller}:${written}`, written)
      return written
    }),
  )
  const took = (performance.now() - from) / 1000
  const writes = done.reduce((sum, written) => sum + written, 0) / took
  const groups = (store.stats().syncs - before.syncs) / took
  console.log(
    `${callers} callers: ${writes.toFixed(0)} durable writes/s in ${groups.toFixed(0)} syncs/s; the disk alone ${syncs} syncs/s, times callers ${syncs * callers}`,
  )
}
await store.close()
rmSync(directory, { recursive: true })
