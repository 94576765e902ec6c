// Outside suites that come without types.

declare module 'abstract-level/test' {
  import type { AbstractLevel } from 'abstract-level'
  import type { Harness } from 'tape'

  export default function suite(options: {
    test: Harness
    factory: (options?: object) => AbstractLevel<Uint8Array>
  }): void
}

declare module 'chai-as-promised' {
  import type { chai } from 'vitest'

  const plugin: Parameters<typeof chai.use>[0]
  export default plugin
}
