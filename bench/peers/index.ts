import { holdfastPeers } from './holdfast.ts'
import { inMemoryPeers } from './in-memory.ts'
import { levelPeers } from './level.ts'
import { lmdbPeers } from './lmdb.ts'
import type { Peer } from './peer.ts'
import { rocksLevelPeers } from './rocksdb-level.ts'
import { rocksdbPeers } from './rocksdb.ts'
import { sqlitePeers } from './sqlite.ts'

const all = [
  ...holdfastPeers,
  ...levelPeers,
  ...lmdbPeers,
  ...sqlitePeers,
  ...rocksLevelPeers,
  ...rocksdbPeers,
  ...inMemoryPeers,
]

export const peers: ReadonlyMap<string, Peer> = new Map(all.map((peer) => [peer.name, peer]))
export type { OpenFor, Peer, PeerStore } from './peer.ts'
