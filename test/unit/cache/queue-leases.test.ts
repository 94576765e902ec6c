import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HeldItem, LeaseHeap, QueueLeases } from '../../../src/cache/queue-leases.ts'

describe('the heap of leases', () => {
  test('gives back what was put in by deadline, then number, whatever was removed in between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 60 }), (plan) => {
        const heap = new LeaseHeap()
        const items = plan.map(([deadline], number) => new HeldItem(number, deadline, 1))
        for (const item of items) heap.add(item)
        const kept = items.filter((_, i) => plan[i]?.[1])
        for (const item of items) if (!kept.includes(item)) heap.remove(item)
        const order = [...kept].sort((a, b) => a.deadline - b.deadline || a.number - b.number)
        const out: HeldItem[] = []
        for (let first = heap.first; first !== undefined; first = heap.first) {
          out.push(first)
          heap.remove(first)
        }
        expect(out).toEqual(order)
      }),
    )
  })
})

describe('the leases of a queue', () => {
  test('run out at their deadline and stay so when the clock goes back', () => {
    const leases = new QueueLeases(2, [])
    leases.add(new HeldItem(0, 100, 1))
    leases.add(new HeldItem(1, 50, 2))
    expect(leases.nextDeadline).toBe(50)
    expect(leases.advance(49)).toBe(false)
    expect(leases.advance(50)).toBe(true)
    expect([leases.due.size, leases.spent.size]).toEqual([0, 1])
    expect(leases.advance(100)).toBe(true)
    expect(leases.advance(10)).toBe(false)
    expect([leases.due.size, leases.spent.size, leases.size]).toEqual([1, 1, 2])
  })

  test('never share a number, those of an earlier opening included', () => {
    const leases = new QueueLeases(1, [new HeldItem(7, 1, 1), new HeldItem(3, 1, 1)])
    expect([leases.newNumber(), leases.newNumber()]).toEqual([8, 9])
  })
})
