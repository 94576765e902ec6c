/** testing: what tests of storage need, for holdfast and for those who build on it. */
export { backendSuite, type SuiteRunner as PlainSuiteRunner } from './backend-suite.ts'
export type { BackendHarness } from './backend-suite-tools.ts'
export { exploreCrashes } from './explore-crashes.ts'
export { CrashCaseFailed, type CrashCase, type CrashCut } from './explore-crashes-case.ts'
export type {
  CrashCompanion,
  CrashExplorationOptions,
  CrashHistory,
  CrashMachine,
  CrashReport,
  CrashWorkload,
} from './explore-crashes-types.ts'
export { anyRead, anySync, anyWrite, type CallMatch, type Fault, type Operation } from './fault.ts'
export { FaultInjector, type HeldCall, type InjectedFault } from './fault-injector.ts'
export { type FileSystemFixture, fileSystemSuite, type SuiteRunner } from './file-system-suite.ts'
export { type Clock, Prng } from '../base/index.ts'
export {
  type FileHandle,
  type FileLock,
  type FileStat,
  type FileSystem,
  nodeFileSystem,
  type NodeFileSystemOptions,
  type OpenMode,
} from '../fs/index.ts'
export {
  type Backend,
  type BackendEntry,
  type BackendIterator,
  type BackendOperation,
  type BackendRange,
  type CrashMode as BackendCrashMode,
  MemoryBackend,
  type MemoryBackendOptions,
} from '../kv/index.ts'
export {
  type CrashMode,
  type CrashOptions,
  SimulatedCrash,
  SimulatedDisk,
  type SimulatedDiskOptions,
} from './simulated-disk.ts'
export type { FailedSync } from './simulated-file.ts'
export { storeSuite } from './store-suite.ts'
export type { StoreHarness, StorePlace } from './store-suite-tools.ts'
