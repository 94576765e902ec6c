import type { WriteOptions } from '../engine/index.ts'
import type { Caches } from './caches.ts'

export class LifoStack {
  readonly name: string

  constructor(_caches: Caches, name: string, _options: WriteOptions) {
    this.name = name
  }
}
