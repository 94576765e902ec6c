/**
 * Goal: whatever call of the file system fails, nothing acknowledged is lost and the store says so with a documented
 * error. Method: fail the n-th call of a kind for n = 1, 2, … until a run has no such call, once and from then on; then
 * go on from the healed disk, or from what a power cut leaves, right then or after closing.
 */
import { newMachine, usedMachine } from './fault-world.ts'
import { faultSuite } from './io-faults-suite.ts'
import { everyday } from './workloads.ts'

faultSuite({ workload: everyday, age: 'a new store', make: () => Promise.resolve(newMachine()), stride: 1 })
faultSuite({ workload: everyday, age: 'a store that was killed', make: () => usedMachine(), stride: 1 })
