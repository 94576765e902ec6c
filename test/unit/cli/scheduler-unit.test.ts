import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseSchedulerUnitLine } from '../../../src/cli/scheduler-unit.ts'

const process = 'DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo'
const tags = {
  Process: process,
  Epoch: '0',
  Nonce: '3',
  'Hash-Chain': 'HyY3m1oobe7LhUD1EPDuv5l6GAt1OO6bDbOnL-9yYV8',
  'Block-Height': '000001522898',
  Timestamp: '1728412707947',
}
const asList = (named: object) => Object.entries(named).map(([name, value]: [string, unknown]) => ({ name, value }))
const assignment = {
  id: 'an-id',
  owner: { address: 'a', key: 'k' },
  target: null,
  anchor: 'x',
  tags: asList(tags),
  data: { base64url: '' },
  signature: 's',
}
const message = { id: 'm', tags: [], data: { base64url: 'AA' } }
const parse = (value: unknown) => parseSchedulerUnitLine(JSON.stringify(value))
const withTags = (changed: object) =>
  parse({ assignment: { ...assignment, tags: asList({ ...tags, ...changed }) }, message })

describe('a scheduler unit line', () => {
  test('tags become fields, the message becomes the body and everything else stays', () => {
    expect(parse({ cursor: '1', node: { assignment, message } })).toEqual([
      {
        ...assignment,
        process,
        slot: 3,
        epoch: '0',
        'block-height': 1522898,
        timestamp: 1728412707947,
        'hash-chain': tags['Hash-Chain'],
        body: message,
      },
    ])
  })

  test('an edge, an edge without cursor and its bare contents mean the same, and a page is its edges', () => {
    const [whole] = parse({ cursor: '1', node: { assignment, message } })
    expect(parse({ node: { assignment, message } })).toEqual([whole])
    expect(parse({ assignment, message })).toEqual([whole])
    expect(parse({ page_info: {}, edges: [{ node: { assignment, message } }, { assignment, message }] })).toEqual([
      whole,
      whole,
    ])
    expect(parse({ edges: [] })).toEqual([])
  })

  test('a missing message is null', () => {
    expect(parse({ assignment })[0]?.body).toBeNull()
    expect(parse({ assignment, message: null })[0]?.body).toBeNull()
  })

  test('tags that may be left out leave no field', () => {
    const [only] = parse({ assignment: { tags: asList({ Process: process, Nonce: '0' }) } })
    expect(only).toEqual({ tags: asList({ Process: process, Nonce: '0' }), process, slot: 0, body: null })
  })

  test('data that look like an escape of ours stay data', () => {
    expect(parse({ assignment, message: { data: { $base64: 'AA==' } } })[0]?.body).toEqual({
      data: { $base64: 'AA==' },
    })
  })

  test.each<[string, () => unknown, string]>([
    ['no JSON', () => parseSchedulerUnitLine('{"node":'), 'is not valid JSON'],
    ['a list', () => parse([1]), 'is not a JSON object'],
    ['no assignment', () => parse({ node: { message } }), 'has no assignment'],
    ['no tags', () => parse({ assignment: { id: 'x' } }), 'without a list of tags'],
    [
      'a tag without a value',
      () => parse({ assignment: { tags: [{ name: 'Process' }] } }),
      'has a tag that is not {name, value}',
    ],
    ['no nonce', () => parse({ assignment: { tags: asList({ Process: process }) } }), 'has no tag Nonce'],
    ['a negative nonce', () => withTags({ Nonce: '-1' }), 'has the tag Nonce "-1"'],
    ['a nonce beyond exact numbers', () => withTags({ Nonce: '9007199254740993' }), 'has the tag Nonce'],
    ['an empty nonce', () => withTags({ Nonce: '' }), 'has the tag Nonce ""'],
    ['a process that is none', () => withTags({ Process: 'short' }), 'has the tag Process "short"'],
    ['a time that is none', () => withTags({ Timestamp: 'noon' }), 'has the tag Timestamp "noon"'],
    [
      'a tag twice',
      () => parse({ assignment: { tags: [...asList(tags), { name: 'Nonce', value: '4' }] } }),
      'has the tag Nonce twice',
    ],
    ['a message that is a text', () => parse({ assignment, message: 'm' }), 'has a message that is neither'],
  ])('with %s says so', (_name, run, words) => {
    expect(run).toThrow(words)
  })

  test('every line of the bundled schedule is read', () => {
    const file = new URL('../../../fixtures/schedule.jsonl', import.meta.url)
    const assignments = readFileSync(file, 'utf8').trim().split('\n').flatMap(parseSchedulerUnitLine)
    expect(assignments).toHaveLength(154)
    expect(new Set(assignments.map((item) => item.process)).size).toBe(5)
    const lengths = assignments.map((item) => JSON.stringify(item.body).length)
    expect(Math.max(...lengths)).toBeGreaterThan(4096)
  })
})
