import type { CacheChange } from './cache/index.ts'

/** One committed record, in the terms of the public structures. */
export interface Change {
  readonly sequence: number
  readonly writes: readonly ChangedItem[]
}

export type ChangedItem =
  | { readonly type: 'content'; readonly id: string; readonly removed: boolean }
  | { readonly type: 'assignment'; readonly process: string; readonly slot: number; readonly id: string | undefined }
  | { readonly type: 'path'; readonly path: string; readonly removed: boolean }
  | { readonly type: 'location'; readonly address: string; readonly id: string | undefined }
  | { readonly type: 'pin'; readonly id: string; readonly removed: boolean }
  | CacheChange
