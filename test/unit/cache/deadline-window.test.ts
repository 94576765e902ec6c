import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deadlines, type Expiring } from '../../../src/cache/deadlines.ts'
import { DeadlineWindow, indexKey, parseIndexKey } from '../../../src/cache/deadline-window.ts'
import { openSpaces } from './space-world.ts'

describe('keys of the index of deadlines', () => {
  it('are in order of time and can be read back', () => {
    const parts = fc.tuple(fc.integer({ min: 0, max: 2 ** 50 }), fc.constantFrom('ka/', 'k%2F/'), fc.string())
    fc.assert(
      fc.property(parts, parts, ([at, domain, encoded], [otherAt]) => {
        const plain = Buffer.from(encoded).toString('latin1')
        const key = indexKey(at, domain, plain)
        expect(parseIndexKey(key)).toEqual({ at, domain, encoded: plain })
        if (at < otherAt) expect(key < indexKey(otherAt, domain, '')).toBe(true)
      }),
    )
  })
})

describe('the window on the index', () => {
  const insert = fc.record({ kind: fc.constant('add' as const), at: fc.integer({ min: 1, max: 50 }) })
  const step = fc.oneof(
    { weight: 4, arbitrary: insert },
    fc.record({ kind: fc.constant('pop' as const) }),
    fc.record({ kind: fc.constant('extend' as const) }),
  )

  it('holds everything below its horizon, gives the nearest first, and stays within its bound', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const max = 8
        const window = new DeadlineWindow(max)
        const index = new Set<string>()
        const check = () => {
          const below = [...index].filter((key) => key < window.horizon).sort()
          expect([...window.due(Number.POSITIVE_INFINITY)].sort()).toEqual(below)
          expect(window.next).toBe(below[0] === undefined ? Number.POSITIVE_INFINITY : parseIndexKey(below[0]).at)
        }
        steps.forEach((action, i) => {
          if (action.kind === 'add') {
            const key = indexKey(action.at, 'kn/', String(i))
            index.add(key)
            window.add(action.at, key)
            expect(window.size).toBeLessThanOrEqual(max)
          } else if (action.kind === 'pop') {
            const nearest = [...index].filter((key) => key < window.horizon).sort()[0]
            expect(window.pop()).toBe(nearest)
            if (nearest !== undefined) index.delete(nearest)
          } else if (!window.isWhole && window.size === 0) {
            const beyond = [...index].filter((key) => key >= window.horizon).sort()
            window.extend(beyond.slice(0, max), beyond.length < max)
          }
          check()
        })
      }),
    )
  })

  it('knows how far it reaches', () => {
    const window = new DeadlineWindow(4)
    expect(window.reaches(0)).toBe(false)
    window.extend([indexKey(5, 'kn/', ''), indexKey(9, 'kn/', '')], false)
    expect([window.reaches(8), window.reaches(9)]).toEqual([true, false])
    window.extend([], true)
    expect([window.reaches(1e12), window.isWhole]).toEqual([true, true])
    window.reset()
    expect([window.reaches(0), window.next]).toEqual([false, Number.POSITIVE_INFINITY])
  })
})

describe('deadlines', () => {
  it('that are set while the index is being read are not missed', async () => {
    const { opened } = await openSpaces()
    const { engine } = opened
    const expired: string[] = []
    const owner: Expiring = { expire: (encoded, at) => expired.push(`${encoded} ${at}`), expires: () => 0 }
    const deadlines = new Deadlines(engine, () => owner, 4)
    const starting = deadlines.start()
    await engine.write(undefined, () => deadlines.add(5, 'kn/', 'soon'))
    await starting
    expect([deadlines.settle(10), expired]).toEqual([true, ['soon 5']])
    deadlines.close()
    await opened.close()
  })
})
