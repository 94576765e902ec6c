import { describe, expect, it } from 'vitest'
import { frameHeaderBytes } from '../../../src/wal/frame.ts'
import { FillingBuffer } from '../../../src/wal/group.ts'

function put(filling: FillingBuffer, text: string): Buffer {
  const { buffer, start } = filling.space(text.length)
  buffer.write(text, start)
  filling.append(text.length)
  return buffer.subarray(start, start + text.length)
}

describe('the filling buffer', () => {
  it('builds a group in one piece, header room first, each record after its length', () => {
    const filling = new FillingBuffer(4096, 5)
    put(filling, 'one')
    put(filling, '')
    put(filling, 'three')
    const [group, ...others] = filling.take()
    expect(others).toEqual([])
    expect(group).toMatchObject({ firstSequence: 5, lastSequence: 7, recordCount: 3, payloadBytes: 20 })
    const payload = group?.buffer.subarray(group.start + frameHeaderBytes, group.end)
    expect(payload?.toString('hex')).toBe(['03000000', '6f6e65', '00000000', '05000000', '7468726565'].join(''))
    expect(filling.nextSequence).toBe(8)
    expect(filling.take()).toEqual([])
  })

  it('closes a group when its slab is full and goes on in another, leaving the old bytes as they are', () => {
    const filling = new FillingBuffer(512, 1)
    const views = Array.from({ length: 40 }, (_, index) => put(filling, String(index).padStart(30, 'x')))
    const groups = filling.take()
    expect(groups.length).toBeGreaterThan(2)
    for (const group of groups) expect(group.end - group.start).toBeLessThanOrEqual(512)
    expect(groups.map((group) => group.lastSequence + 1).slice(0, -1)).toEqual(
      groups.slice(1).map((group) => group.firstSequence),
    )
    expect(views.map((view) => view.toString())).toEqual(views.map((_, index) => String(index).padStart(30, 'x')))
  })

  it('gives a record larger than a slab one of its own', () => {
    const filling = new FillingBuffer(512, 1)
    put(filling, 'small')
    const { buffer, start } = filling.space(5000)
    expect(buffer.length - start).toBeGreaterThanOrEqual(5000)
    filling.append(5000)
    expect(filling.take().map((group) => group.recordCount)).toEqual([1, 1])
  })

  it('keeps what was built intact when more space is asked for', () => {
    const filling = new FillingBuffer(512, 1)
    put(filling, 'first')
    const small = filling.space(100)
    const { buffer, start } = small
    buffer.write('begun', start)
    const larger = filling.space(2000)
    expect(larger.buffer).not.toBe(buffer)
    expect(buffer.toString('latin1', start, start + 5)).toBe('begun')
    filling.append(2000)
    expect(filling.take().map((group) => group.firstSequence)).toEqual([1, 2])
  })

  it('does not put groups on top of each other in one slab', () => {
    const filling = new FillingBuffer(4096, 1)
    put(filling, 'abc')
    const first = filling.take()[0]
    put(filling, 'def')
    const second = filling.take()[0]
    expect(second?.buffer).toBe(first?.buffer)
    expect(second?.start).toBe(Math.ceil((first?.end ?? 0) / 8) * 8)
  })

  it('refuses records beyond the limit and appends beyond the space', () => {
    const filling = new FillingBuffer(512, 1)
    expect(() => filling.space(2 ** 28 + 1)).toThrow(expect.objectContaining({ code: 'HOLDFAST_VALUE_TOO_LARGE' }))
    filling.space(10)
    expect(() => filling.append(5000)).toThrow(RangeError)
    expect(filling.isEmpty).toBe(true)
  })

  it('finds the group of a sequence until it is taken', () => {
    const filling = new FillingBuffer(512, 1)
    for (let index = 0; index < 20; index++) put(filling, 'y'.repeat(60))
    for (let sequence = 1; sequence <= 20; sequence++) {
      const group = filling.find(sequence)
      expect(group !== undefined && group.firstSequence <= sequence && sequence <= group.lastSequence).toBe(true)
    }
    expect(filling.find(21)).toBeUndefined()
    expect(filling.find(0)).toBeUndefined()
    filling.take()
    expect(filling.find(3)).toBeUndefined()
  })
})
