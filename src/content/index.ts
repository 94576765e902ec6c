/** content: content by hash, and paths with links and groups. */
export { collectGarbage } from './garbage.ts'
export { contentMount } from './content-mount.ts'
export { Contents, encodeMessage, missingContent } from './content-store.ts'
export { contentDomain, contentKey, contentPrefix, parsePathKey, pathDomain, pinPrefix } from './keys.ts'
export { type Mount, type PathNode, Paths } from './path-store.ts'
export { checkContent, checkPaths, checkPins } from './verify-content.ts'
export type * from './types.ts'
