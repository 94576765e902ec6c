/** The outside suite for Keyv's storage adapters. */
import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite'
import { Keyv } from 'keyv'
import * as vitest from 'vitest'
import { HoldfastKeyv } from '../../src/adapters/keyv.ts'
import { temporaryStore, type TemporaryStore } from './temporary-store.ts'

const { afterAll, beforeAll, describe, expect } = vitest
const testsExpected = 42
let testsRun = 0
let temporary: TemporaryStore

const counting = {
  ...vitest,
  it: (name: string, run: (context: vitest.TestContext) => unknown) =>
    vitest.it(name, async (context) => {
      await run(context)
      testsRun++
    }),
}

beforeAll(async () => {
  temporary = await temporaryStore()
})

afterAll(async () => {
  await temporary.remove()
})

describe('@keyv/test-suite', () => {
  const adapter = () => new HoldfastKeyv(temporary.store)

  describe('api, values, namespaces', () => {
    keyvTestSuite(counting as unknown as typeof vitest, Keyv, adapter)
  })
  describe('iterator', () => {
    keyvIteratorTests(counting as unknown as typeof vitest, Keyv, adapter)
  })

  afterAll(() => {
    expect(testsRun).toBe(testsExpected)
  })
})
