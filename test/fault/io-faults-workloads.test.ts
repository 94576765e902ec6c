/** As io-faults.test.ts, for the workloads that delete, collect, write much at once and restart. */
import { usedMachine } from './fault-world.ts'
import { faultSuite } from './io-faults-suite.ts'
import { furtherWorkloads } from './workloads.ts'

for (const workload of furtherWorkloads)
  faultSuite({ workload, age: 'a store that was killed', make: () => usedMachine(workload), stride: 7 })
