// Takes the lock of the directory given as argument, says so, and keeps it until told otherwise on standard input:
// `release` lets it go, `exit` ends the process without letting go.
import { nodeFileSystem } from '../../../src/fs/index.ts'

const [, , directory = ''] = process.argv
const lock = await nodeFileSystem().lock(directory, (reason) => {
  throw reason
})
process.stdout.write('locked\n')
process.stdin.once('data', (command) => {
  const done = String(command).trim() === 'exit' ? Promise.resolve() : lock.release()
  void done.then(() => process.exit(0))
})
