import { type Careful, carefully } from './careful.ts'

/** Never run: lint must refuse every line of this file that `lint.test.ts` names, or it no longer checks anything. */
export function careless(careful: Careful, mode: 'sync' | 'os'): void {
  carefully(careful)
  for (const item of careful.items) setTimeout(async () => careful.saveItem(item), 0)
  switch (mode) {
    case 'sync':
      throw 'not an error'
  }
}

export async function waitForNothing(careful: Careful): Promise<void> {
  await careful.items
}
