const meanings: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBADF: 'bad file descriptor',
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'file already exists',
  EINVAL: 'invalid argument',
  EIO: 'i/o error',
  EISDIR: 'illegal operation on a directory',
  EMFILE: 'too many open files',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  EROFS: 'read-only file system',
}

/** An error shaped like those of Node's file system calls. */
export function systemError(code: string, call: string, path: string, note?: string): Error {
  const meaning = note ?? meanings[code] ?? 'failed'
  return Object.assign(new Error(`${code}: ${meaning}, ${call} '${path}'`), { code, syscall: call, path })
}
