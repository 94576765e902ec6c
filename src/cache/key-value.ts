import type { Caches } from './caches.ts'
import type { KeyValueOptions } from './types.ts'

export class KeyValueNamespace {
  readonly namespace: string

  constructor(_caches: Caches, namespace: string, _options: KeyValueOptions) {
    this.namespace = namespace
  }
}
