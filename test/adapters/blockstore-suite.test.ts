/** The outside suite for blockstores. Its tests are written for a runner with global functions. */
import type { Blockstore } from 'interface-blockstore'
import { interfaceBlockstoreTests } from 'interface-blockstore-tests'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HoldfastBlockstore } from '../../src/adapters/blockstore.ts'
import { temporaryStore, type TemporaryStore } from './temporary-store.ts'

const testsExpected = 18
let testsRun = 0

Object.assign(globalThis, {
  describe,
  beforeEach,
  afterEach,
  it: (name: string, run: () => Promise<void>) =>
    it(name, async () => {
      await run()
      testsRun++
    }),
})

describe('interface-blockstore-tests', () => {
  const stores = new Map<Blockstore, TemporaryStore>()

  interfaceBlockstoreTests({
    async setup() {
      const temporary = await temporaryStore()
      const blockstore: Blockstore = new HoldfastBlockstore(temporary.store)
      stores.set(blockstore, temporary)
      return blockstore
    },
    async teardown(blockstore) {
      await stores.get(blockstore)?.remove()
    },
  })

  afterAll(() => {
    expect(testsRun).toBe(testsExpected)
  })
})
