/** File systems with mistakes built in, to show that the tests would notice them. */
import type { FileHandle, FileSystem } from '../../src/fs/index.ts'

/** The file system with some members of its handles replaced; `members` answers which. */
export function alteredHandles(
  whole: FileSystem,
  members: (handle: FileHandle, path: string) => Partial<FileHandle>,
): FileSystem {
  return {
    ...whole,
    open: async (path, mode) => {
      const handle = await whole.open(path, mode)
      const replaced = members(handle, path)
      return new Proxy(handle, {
        get(target, name) {
          if (name in replaced) return replaced[name as keyof typeof replaced]
          const member: unknown = Reflect.get(target, name, target)
          return typeof member === 'function' ? member.bind(target) : member
        },
      })
    },
  }
}
