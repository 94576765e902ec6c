import { HoldfastError } from '../base/index.ts'

export function leaseLost(queue: string, lease: number): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_LEASE_LOST',
    `lease ${lease} of queue ${JSON.stringify(queue)} is over: it ran out and the item was handed out again or went to the dead letters, or it was acknowledged or given back; lease for longer than the work takes`,
    { detail: { queue, lease } },
  )
}
