import { encodeKey, type Key } from '../codec/index.ts'
import type { CheckContext } from '../engine/index.ts'
import { KeyDigest } from './check-tallies.ts'
import { domainOfSpace, letter, nameOfDomain } from './names.ts'

/** Whether the index of each table leads to exactly the entries there are. */
export class TableKeys {
  readonly #wanted = new Map<string, KeyDigest>()
  readonly #found = new Map<string, KeyDigest>()

  /** An entry of a table. Whether the table has an index is known only at the end. */
  tuple(domain: string, key: Key): void {
    if (!Array.isArray(key) || key.length !== 2) return
    const indexDomain = domainOfSpace(letter.tableIndex, nameOfDomain(domain))
    digestOf(this.#wanted, indexDomain).add(indexDomain + encodeKey(key[1] as Key) + encodeKey(key[0] as Key))
  }

  index(domain: string, key: string): void {
    digestOf(this.#found, domain).add(key)
  }

  compare(shapes: ReadonlyMap<string, Readonly<Record<string, unknown>>>, context: CheckContext): void {
    for (const domain of new Set([...this.#wanted.keys(), ...this.#found.keys()])) {
      const name = nameOfDomain(domain)
      const shape = shapes.get(domainOfSpace(letter.table, name))
      const isIndexed = shape !== undefined && shape['keyPos'] !== shape['partitionPos']
      const wanted = (isIndexed ? this.#wanted.get(domain) : undefined) ?? new KeyDigest()
      if (wanted.equals(this.#found.get(domain) ?? new KeyDigest())) continue
      context.report(
        'table-index',
        `table ${JSON.stringify(name)}`,
        'its index does not lead to the tuples that are there',
      )
    }
  }
}

function digestOf(digests: Map<string, KeyDigest>, domain: string): KeyDigest {
  let digest = digests.get(domain)
  if (digest === undefined) {
    digest = new KeyDigest()
    digests.set(domain, digest)
  }
  return digest
}
