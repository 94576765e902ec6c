import { defineConfig } from 'vitest/config'

// The crash and fault suites together with the heavy ones (`*.heavy.test.ts`) that `npm test` leaves out for time.
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', './scripts/summary-reporter.mjs'],
    allowOnly: false,
    passWithNoTests: false,
    env: { HOLDFAST_EFFORT: 'full' },
    include: [
      'test/crash/**/*.test.ts',
      'test/fault/**/*.test.ts',
      'test/model/**/*.test.ts',
      'test/real-disk/**/*.test.ts',
      'test/**/*.heavy.test.ts',
    ],
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
})
