import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const everywhere = ['**/node_modules/**', '**/*.heavy.test.ts']
// Tests that start processes and kill them, or walk every crash point, need longer than the rest.
const slow = ['crash', 'fault', 'model', 'real-disk', 'cli'].map((folder) => `test/${folder}/**/*.test.ts`)

export default defineConfig({
  // The blockstore suite imports its assertions from a tool that it does not depend on.
  resolve: { alias: { 'aegir/chai': fileURLToPath(new URL('test/adapters/aegir-chai.ts', import.meta.url)) } },
  test: {
    server: { deps: { inline: ['interface-blockstore-tests'] } },
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
