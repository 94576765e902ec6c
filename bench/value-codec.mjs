// Speed of the codec of cache values against msgpackr on values of one kind each.
// Run: npm run build && node bench/value-codec.mjs   (or: node --import tsx bench/value-codec.mjs src)
// All contestants take turns, so that a noisy machine is noisy for everyone. Nanoseconds, fastest quarter.
import { Packr } from 'msgpackr'

const codec = await import(process.argv[2] === 'src' ? '../src/codec/index.ts' : '../dist/codec/index.js')
const { decodePrimitive, decodeValue, ValueEncoder } = codec
const valueCount = 1000
const rounds = 100

let state = 0x9e3779b9
function random(below) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}
const text = (length) => Array.from({ length }, () => String.fromCharCode(97 + random(26))).join('')
const list = (make) => Array.from({ length: valueCount }, (_, i) => make(i))

const kinds = {
  'number below 128': list(() => random(128)),
  'number below 1e6': list(() => random(1e6)),
  fraction: list(() => random(1e9) / 7),
  'string of 5 to 12': list(() => text(5 + random(8))),
  'string of 20': list(() => text(20)),
  'string of 100': list(() => text(100)),
  bigint: list(() => BigInt(random(1e9))),
  'array of 10 numbers': list(() => Array.from({ length: 10 }, () => random(1000))),
  'object of 4': list((i) => ({ id: i, name: text(6), active: i % 2 === 0, score: i * 3 })),
  'object with an object and an array': list((i) => ({ id: i, tags: [text(3), text(5)], at: { x: i, y: i / 3 } })),
  'Map of 5': list(() => new Map(Array.from({ length: 5 }, (_, i) => [`k${i}`, random(100)]))),
}

let sink = 0
const encoder = new ValueEncoder()
const packr = new Packr({ useRecords: false, variableMapSize: true, moreTypes: true })

function contestantsOf(values) {
  const ours = values.map((value) => Buffer.from(encoder.buffer.subarray(0, encoder.encode(value, 0))))
  const theirs = values.map((value) => Buffer.from(packr.pack(value)))
  const contestants = {
    encode: (i) => (sink += encoder.encode(values[i], 64)),
    'encode, msgpackr': (i) => (sink += packr.pack(values[i]).length),
    'decode, frozen': (i) => (sink += decodeValue(ours[i], 0, ours[i].length).shareable ? 1 : 2),
    'decode, msgpackr': (i) => (sink += packr.unpack(theirs[i]) === null ? 1 : 2),
  }
  if (typeof values[0] === 'object') return contestants
  return {
    ...contestants,
    decodePrimitive: (i) => (sink += decodePrimitive(ours[i], 0, ours[i].length) === null ? 1 : 2),
  }
}

const times = new Map()
const all = Object.entries(kinds).map(([kind, values]) => [kind, contestantsOf(values)])
for (let round = -15; round < rounds; round++) {
  for (const [kind, contestants] of all) {
    for (const [name, run] of Object.entries(contestants)) {
      const start = performance.now()
      for (let i = 0; i < valueCount; i++) run(i)
      const nanoseconds = ((performance.now() - start) * 1e6) / valueCount
      const key = `${kind.padEnd(36)}${name}`
      if (round >= 0) times.set(key, [...(times.get(key) ?? []), nanoseconds])
    }
  }
}
for (const [key, samples] of times) {
  const quarter = samples.toSorted((a, b) => a - b)[samples.length >> 2]
  console.log(`${key.padEnd(56)} ${quarter.toFixed(0).padStart(6)} ns`)
}
console.log(`${valueCount} values of each kind, ${rounds} rounds (${sink % 7})`)
