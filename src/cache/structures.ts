/** Hands out the structures of one store: the same object for the same name, so that callers share its state. */
import { isDeepStrictEqual } from 'node:util'
import type { WriteOptions } from '../engine/index.ts'
import type { Caches } from './caches.ts'
import { FifoQueue } from './fifo-queue.ts'
import { KeyValueNamespace } from './key-value.ts'
import { LifoStack } from './lifo-stack.ts'
import { checkName } from './names.ts'
import { RecordSet } from './record-set.ts'
import { TupleTable } from './tuple-table.ts'
import type {
  KeyValue,
  KeyValueOptions,
  Queue,
  QueueOptions,
  Records,
  RecordsOptions,
  Stack,
  Table,
  TableOptions,
} from './types.ts'

interface Handle {
  readonly structure: unknown
  readonly options: object
}

export class Structures {
  readonly #caches: Caches
  readonly #handles = new Map<string, Handle>()

  constructor(caches: Caches) {
    this.#caches = caches
  }

  kv<V>(namespace: string, options?: KeyValueOptions): KeyValue<V> {
    checkName(namespace, 'namespace')
    return this.#handle(
      'kv',
      namespace,
      options,
      (given) => new KeyValueNamespace(this.#caches, namespace, given),
    ) as KeyValue<V>
  }

  table(name: string, options?: TableOptions): Table {
    checkName(name, 'table')
    return this.#handle('table', name, options, (given) => new TupleTable(this.#caches, name, given)) as Table
  }

  queue<V>(name: string, options?: QueueOptions): Queue<V> {
    checkName(name, 'queue')
    return this.#handle('queue', name, options, (given) => new FifoQueue(this.#caches, name, given)) as Queue<V>
  }

  stack<V>(name: string, options?: WriteOptions): Stack<V> {
    checkName(name, 'stack')
    return this.#handle('stack', name, options, (given) => new LifoStack(this.#caches, name, given)) as Stack<V>
  }

  records<T extends object>(type: string, options?: RecordsOptions): Records<T> {
    checkName(type, 'type of records')
    return this.#handle('records', type, options, (given) => new RecordSet(this.#caches, type, given)) as Records<T>
  }

  /** Options belong to the first to ask; later ones give none or the same. */
  #handle<O extends object>(
    what: string,
    name: string,
    options: O | undefined,
    make: (options: O) => unknown,
  ): unknown {
    if (options !== undefined && (typeof options !== 'object' || options === null)) {
      throw new TypeError(`${what}() takes its options as an object`)
    }
    const id = `${what}/${name}`
    const known = this.#handles.get(id)
    if (known === undefined) {
      const given = { ...options } as O
      const structure = make(given)
      this.#handles.set(id, { structure, options: given })
      return structure
    }
    if (options !== undefined && !isDeepStrictEqual({ ...options }, known.options)) {
      throw new TypeError(
        `${what}(${JSON.stringify(name)}) is in use with other options: ${JSON.stringify(known.options)}; give the same or none`,
      )
    }
    return known.structure
  }
}
