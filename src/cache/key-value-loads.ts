/**
 * `getOrSet`: one load of a key at a time. A load is about the state before it began, so whatever a caller does to the key
 * meanwhile wins: then what was loaded is not stored.
 */
import { HoldfastError } from '../base/index.ts'
import { decodeKey, decodeValue, encodeKey, type Key } from '../codec/index.ts'
import type { KeyValueEntries, WriteListener } from './key-value-entries.ts'
import { checkLoadOptions } from './key-value-options.ts'
import { Flight, untilAborted } from './single-flight.ts'
import type { LoadOptions } from './types.ts'
import type { ValueScratch } from './value-scratch.ts'

type Loader = (signal: AbortSignal) => Promise<unknown>

export interface LoadParts {
  readonly entries: KeyValueEntries
  readonly scratch: ValueScratch
  /** Stores what was loaded, as durably as the namespace says. */
  readonly store: (key: Key, value: unknown, options: LoadOptions) => Promise<void>
}

export class KeyValueLoads implements WriteListener {
  readonly #entries: KeyValueEntries
  readonly #scratch: ValueScratch
  readonly #store: LoadParts['store']
  readonly #flights = new Map<string, Flight>()

  constructor(parts: LoadParts) {
    this.#entries = parts.entries
    this.#scratch = parts.scratch
    this.#store = parts.store
    this.#entries.listener = this
  }

  get isListening(): boolean {
    return this.#flights.size > 0
  }

  async getOrSet(given: Key, loader: Loader, options: LoadOptions = {}): Promise<unknown> {
    checkLoadOptions(options)
    if (typeof loader !== 'function') throw new TypeError('getOrSet takes a function that loads the value')
    const id = encodeKey(given)
    // The caller may change an array of its own while it waits.
    const key = typeof given === 'object' && given !== null ? decodeKey(id) : given
    const { signal } = options
    for (;;) {
      const entry = await untilAborted(this.#entries.fetch(key), signal)
      if (entry !== undefined) {
        const value = this.#entries.valueOf(entry)
        if (options.staleMs !== undefined) await this.#reloadIfStale(id, key, loader, options)
        return value
      }
      // Set in the meantime: that is what to wait for.
      if (this.#entries.find(key) !== undefined) continue
      const flight = this.#flights.get(id)
      if (flight === undefined) return this.#start(id, key, loader, options, false).join(signal)
      if (!flight.superseded) return flight.join(signal)
      // It was deleted since that load began; what it brings is out of date. But one at a time.
      await untilAborted(flight.settled, signal)
    }
  }

  written(key: Key | undefined): void {
    if (key === undefined) for (const flight of this.#flights.values()) flight.superseded = true
    else this.#supersede(encodeKey(key))
  }

  /** The store closes. */
  close(): void {
    const { location } = this.#entries.space.engine
    for (const flight of [...this.#flights.values()]) {
      flight.fail(
        new HoldfastError('HOLDFAST_CLOSED', `the store at ${location} was closed while a value was being loaded`, {
          detail: { location },
        }),
      )
    }
  }

  #supersede(id: string): void {
    const flight = this.#flights.get(id)
    if (flight !== undefined) flight.superseded = true
  }

  async #reloadIfStale(id: string, key: Key, loader: Loader, options: LoadOptions): Promise<void> {
    const loadedAt = await this.#entries.loadedAt(key)
    const staleAt = (loadedAt ?? Number.POSITIVE_INFINITY) + (options.staleMs as number)
    if (this.#entries.now() >= staleAt && !this.#flights.has(id)) this.#start(id, key, loader, options, true)
  }

  #start(id: string, key: Key, loader: Loader, options: LoadOptions, background: boolean): Flight {
    const { timeoutMs } = options
    const flight = new Flight({ id, timeoutMs, background, onEnd: () => this.#flights.delete(id) })
    this.#flights.set(id, flight)
    flight.start(() => this.#run(flight, key, loader, options))
    return flight
  }

  async #run(flight: Flight, key: Key, loader: Loader, options: LoadOptions): Promise<() => unknown> {
    let value: unknown
    try {
      value = await flight.load(loader)
      if (!flight.superseded) {
        // Ended first: its own write must not count as somebody else's.
        flight.end()
        await this.#store(key, value, options)
        return this.#reader(value)
      }
      const entry = await this.#entries.fetch(key)
      if (entry !== undefined) return () => this.#entries.valueOf(entry)
    } finally {
      flight.end()
    }
    return this.#reader(value)
  }

  /** Everybody gets the value as reads answer it, not the loader's own object. */
  #reader(value: unknown): () => unknown {
    if (typeof value !== 'object' || value === null) return () => value
    const bytes = Buffer.from(this.#scratch.encode(value).bare())
    return () => decodeValue(bytes, 0, bytes.length).value
  }
}
