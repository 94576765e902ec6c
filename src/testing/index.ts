/** testing: what tests of storage need, for holdfast and for those who build on it. */
export { backendSuite, type SuiteRunner as PlainSuiteRunner } from './backend-suite.ts'
export type { BackendHarness } from './backend-suite-tools.ts'
export { anyRead, anySync, anyWrite, type CallMatch, type Fault, type Operation } from './fault.ts'
export { FaultInjector, type HeldCall, type InjectedFault } from './fault-injector.ts'
export { type FileSystemFixture, fileSystemSuite, type SuiteRunner } from './file-system-suite.ts'
export { Prng } from '../base/index.ts'
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
