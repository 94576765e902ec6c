// Speed of the canonical codec against msgpackr on scheduler-assignment messages of about 2.2 KB.
// Run: npm run build && node bench/codec.mjs   (or: node --import tsx bench/codec.mjs src)
// Short slices of all contestants are interleaved, so that a noisy machine is noisy for everyone. Nanoseconds.
import { Packr, Unpackr } from 'msgpackr'

const codec = await import(process.argv[2] === 'src' ? '../src/codec/index.ts' : '../dist/codec/index.js')
const messageCount = 512
const rounds = 60
// Short slices: most of them run undisturbed even when other processes share the processor.
const sliceCount = 16

function randomSource(seed) {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

const random = randomSource(0x9e3779b9)
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const text = (length) =>
  Buffer.from(Array.from({ length }, () => alphabet.charCodeAt((random() * 64) | 0))).toString('latin1')
const id = () => text(43)
const tagNames = ['Type', 'Data-Protocol', 'Variant', 'Action', 'Recipient', 'Quantity']

/** An assignment with a body of 64 to 4096 bytes of data (log-uniform), a 512-byte signature and six tags. */
function assignment(slot) {
  return {
    path: 'assignment',
    'data-protocol': 'ao',
    variant: 'ao.N.1',
    process: id(),
    epoch: '0',
    slot,
    'block-height': 1600000 + (slot >>> 6),
    'block-hash': id(),
    'block-timestamp': 1735689600000 + (slot >>> 6) * 120000,
    timestamp: 1735689600000 + slot * 37,
    'hash-chain': id(),
    body: {
      target: id(),
      owner: id(),
      anchor: text(32),
      tags: tagNames.map((name, i) => ({
        name,
        value: i === 4 ? id() : i === 5 ? String((random() * 1e12) | 0) : text(8 + i),
      })),
      data: text(Math.round(64 * 40 ** random())),
      signature: Buffer.from(Array.from({ length: 512 }, () => (random() * 256) | 0)),
    },
  }
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  )
}

function deepFreeze(value) {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value
  for (const key of Object.keys(value)) deepFreeze(value[key])
  return Object.freeze(value)
}

const packr = new Packr({ useRecords: false, variableMapSize: true })
const unpackr = new Unpackr({ useRecords: false, copyBuffers: true })
const messages = Array.from({ length: messageCount }, (_, slot) => assignment(slot))
const presorted = messages.map(sorted)
const encoded = messages.map((message) => Buffer.from(codec.encodeCanonical(message).bytes))
const decoded = encoded.map((bytes) => codec.decodeCanonical(bytes, noLink))
for (let i = 0; i < messageCount; i++) {
  if (encoded[i].length < 4096 && !encoded[i].equals(packr.pack(presorted[i])))
    throw new Error(`message ${i} differs from msgpackr`)
}
function noLink() {
  throw new Error('no message of this workload links')
}

let sink = 0
const contestants = {
  'encode: msgpackr, keys sorted before': (i) => (sink += packr.pack(presorted[i]).length),
  'encode + id: msgpackr, keys sorted before': (i) => (sink += codec.contentIdOf(packr.pack(presorted[i])).length),
  'encode + id: msgpackr, keys sorted here': (i) => (sink += codec.contentIdOf(packr.pack(sorted(messages[i]))).length),
  'encode + id: canonical': (i) => (sink += codec.encodeCanonical(messages[i]).bytes.length),
  'encode + id: canonical, value read back': (i) => (sink += codec.encodeCanonical(decoded[i]).bytes.length),
  'id alone': (i) => (sink += codec.contentIdOf(encoded[i]).length),
  'decode: msgpackr': (i) => (sink += unpackr.unpack(encoded[i]).slot),
  'decode: msgpackr, deeply frozen': (i) => (sink += deepFreeze(unpackr.unpack(encoded[i])).slot),
  'decode: canonical, deeply frozen': (i) => (sink += codec.decodeCanonical(encoded[i], noLink).slot),
  'read a 512-byte property': (i) => (sink += decoded[i].body.signature.length),
}

const names = Object.keys(contestants)
const times = Object.fromEntries(names.map((name) => [name, []]))
for (let round = -6; round < rounds; round++) {
  for (let first = 0; first < messageCount; first += sliceCount) {
    for (const name of names) {
      const run = contestants[name]
      const start = performance.now()
      for (let i = first; i < first + sliceCount; i++) run(i)
      const nanoseconds = ((performance.now() - start) * 1e6) / sliceCount
      if (round >= 0) times[name].push(nanoseconds)
    }
  }
}

const quantile = (name, part) => times[name].toSorted((a, b) => a - b)[Math.floor(times[name].length * part)]
for (const name of names) {
  const [octile, median] = [quantile(name, 1 / 8), quantile(name, 1 / 2)].map((time) => time.toFixed(0).padStart(6))
  console.log(`${name.padEnd(44)} median ${median} ns, fastest eighth ${octile} ns`)
}
const bytes = encoded.reduce((sum, one) => sum + one.length, 0) / messageCount
console.log(`${messageCount} messages of ${bytes.toFixed(0)} bytes on average, ${rounds} rounds (${sink % 7})`)
for (const [what, ours, theirs] of [
  ['encode + id, ours / msgpackr presorted', 'encode + id: canonical', 'encode + id: msgpackr, keys sorted before'],
  ['decode frozen, ours / msgpackr unfrozen', 'decode: canonical, deeply frozen', 'decode: msgpackr'],
]) {
  const ratios = [1 / 2, 1 / 8].map((part) => (quantile(ours, part) / quantile(theirs, part)).toFixed(2))
  console.log(`${what}: median ${ratios[0]}, fastest eighth ${ratios[1]}`)
}
