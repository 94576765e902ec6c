import type { Caches } from './caches.ts'
import type { QueueOptions } from './types.ts'

export class FifoQueue {
  readonly name: string

  constructor(_caches: Caches, name: string, _options: QueueOptions) {
    this.name = name
  }
}
