import type { Caches } from './caches.ts'
import type { TableOptions } from './types.ts'

export class TupleTable {
  readonly name: string

  constructor(_caches: Caches, name: string, _options: TableOptions) {
    this.name = name
  }
}
