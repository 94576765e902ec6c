import { defineConfig } from 'vitest/config'

const everywhere = ['**/node_modules/**', '**/*.heavy.test.ts']
// Tests that start processes and kill them, or walk every crash point, need longer than the rest.
const slow = ['crash', 'fault', 'model', 'cli'].map((folder) => `test/${folder}/**/*.test.ts`)

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', './scripts/summary-reporter.mjs'],
    // A check that did not run must not look like one that passed.
    allowOnly: false,
    passWithNoTests: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [...everywhere, ...slow],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: { name: 'slow', include: slow, exclude: everywhere, testTimeout: 60_000, hookTimeout: 60_000 },
      },
    ],
  },
})
