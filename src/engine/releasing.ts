/**
 * A generator with something to let go of. One that was never started does not run its own `finally` when it is
 * returned: then `release` is called instead.
 */
export function releasing<T>(
  generator: AsyncGenerator<T, void, undefined>,
  release: () => Promise<unknown>,
): AsyncGenerator<T, void, undefined> {
  let started = false
  const begin = async () => {
    if (started) return
    started = true
    await release()
  }
  return {
    next: () => {
      started = true
      return generator.next()
    },
    return: async () => {
      await begin()
      return generator.return()
    },
    throw: async (error) => {
      await begin()
      return generator.throw(error)
    },
    [Symbol.asyncIterator]() {
      return this
    },
    async [Symbol.asyncDispose]() {
      await this.return()
    },
  }
}
