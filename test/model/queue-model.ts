/** What a queue is to do, on plain arrays: the model that the queue is compared with. */
export interface ModelItem {
  readonly value: number
  readonly deliveries: number
}

export interface ModelLease extends ModelItem {
  readonly id: number
  readonly deadline: number
}

interface ModelReturn extends ModelItem {
  readonly at: number
}

export const maxDeliveries = 2

export class QueueModel {
  now = 1_000_000
  fresh: number[] = []
  returned: ModelReturn[] = []
  leases: ModelLease[] = []
  dead: number[] = []

  clone(): QueueModel {
    const { now, fresh, returned, leases, dead } = this
    return Object.assign(new QueueModel(), structuredClone({ now, fresh, returned, leases, dead }))
  }

  get count(): number {
    return (
      this.fresh.length +
      this.returned.length +
      this.#over().filter(({ deliveries }) => deliveries < maxDeliveries).length
    )
  }

  get deadList(): number[] {
    return [...this.dead, ...this.#spent().map(({ value }) => value)]
  }

  peek(): number | undefined {
    return this.clone().next()?.value
  }

  next(): ModelItem | undefined {
    this.#bury()
    const due = this.#over()[0]
    const [back] = this.returned
    if (back !== undefined && (due === undefined || back.at <= due.deadline)) return this.returned.shift()
    if (due !== undefined) return this.#end(due)
    const value = this.fresh.shift()
    return value === undefined ? undefined : { value, deliveries: 0 }
  }

  drain(): number[] {
    const values: number[] = []
    for (let left = this.count; left > 0; left--) values.push((this.next() as ModelItem).value)
    this.#bury()
    return values
  }

  lease(id: number, leaseMs: number): ModelLease | undefined {
    const item = this.next()
    if (item === undefined) return undefined
    const lease = { id, value: item.value, deliveries: item.deliveries + 1, deadline: this.now + leaseMs }
    this.leases.push(lease)
    return lease
  }

  /** False: the lease is lost. */
  end(id: number, how: 'ack' | 'nack'): boolean {
    const lease = this.leases.find((each) => each.id === id)
    if (lease === undefined) return false
    this.#end(lease)
    if (how === 'ack') return true
    if (lease.deliveries >= maxDeliveries) this.dead.push(lease.value)
    else this.returned.push({ value: lease.value, deliveries: lease.deliveries, at: this.now })
    return true
  }

  redeliver(): number {
    this.#bury()
    const { dead } = this
    this.fresh.push(...dead)
    this.dead = []
    return dead.length
  }

  clearDead(): void {
    for (const lease of this.#spent()) this.#end(lease)
    this.dead = []
  }

  #over(): ModelLease[] {
    const over = this.leases.filter(({ deadline }) => deadline <= this.now)
    over.sort((a, b) => a.deadline - b.deadline || a.id - b.id)
    return over
  }

  #spent(): ModelLease[] {
    return this.#over().filter(({ deliveries }) => deliveries >= maxDeliveries)
  }

  #bury(): void {
    for (const lease of this.#spent()) {
      this.#end(lease)
      this.dead.push(lease.value)
    }
  }

  #end(lease: ModelLease): ModelLease {
    this.leases.splice(this.leases.indexOf(lease), 1)
    return lease
  }
}
