import type { Caches } from './caches.ts'
import type { RecordsOptions } from './types.ts'

export class RecordSet {
  readonly type: string

  constructor(_caches: Caches, type: string, _options: RecordsOptions) {
    this.type = type
  }
}
