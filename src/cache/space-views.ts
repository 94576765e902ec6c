/**
 * Snapshots of one space for reads that take several steps. While a view is open the structure notes what each write
 * takes the place of, so that the view can tell what was there when it was opened. Nothing is noted without a view.
 */
import { encodeKey, type Key } from '../codec/index.ts'
import type { Entry } from '../memory/index.ts'
import type { Space } from './space.ts'

export class SpaceViews {
  readonly #space: Space
  readonly #open = new Set<SpaceView>()

  constructor(space: Space) {
    this.#space = space
  }

  /** To be closed. */
  open(): SpaceView {
    const view = new SpaceView(this.#space, (closed) => this.#open.delete(closed))
    this.#open.add(view)
    return view
  }

  /** Only inside `write`, before each put and remove: `before` is what `find` answers for the key. */
  note(key: Key, before: Entry | undefined): void {
    if (this.#open.size === 0) return
    const encoded = encodeKey(key)
    for (const view of this.#open) view.note(encoded, key, before)
  }
}

export class SpaceView {
  readonly #space: Space
  readonly #close: (view: SpaceView) => void
  readonly #changed = new Map<string, { readonly key: Key; readonly before: Entry | undefined }>()

  constructor(space: Space, close: (view: SpaceView) => void) {
    this.#space = space
    this.#close = close
  }

  /** Stays when the write is taken back: then `before` is what is there again. */
  note(encoded: string, key: Key, before: Entry | undefined): void {
    if (!this.#changed.has(encoded)) this.#changed.set(encoded, { key, before })
  }

  /** What was there when the view was opened, acknowledged. Rejects when its write failed. */
  async fetch(key: Key): Promise<Entry | undefined> {
    const { engine } = this.#space
    const found = await this.#space.fetch(key)
    const changed = this.#changed.get(encodeKey(key))
    if (changed === undefined) return found
    if (changed.before !== undefined && !engine.isAcknowledged(changed.before))
      await engine.acknowledged(changed.before)
    return changed.before
  }

  /** Keys written since the view was opened. */
  changedKeys(): Key[] {
    return Array.from(this.#changed.values(), ({ key }) => key)
  }

  close(): void {
    this.#close(this)
  }
}
