// Where limits keep their counts: the port. One process counts in memory; several share a Redis behind the same port.

/** Refills evenly; `burst` may be taken at once. */
export interface BucketRule {
  readonly kind: 'bucket'
  readonly limit: number
  readonly windowMs: number
  readonly burst: number
}

/** So many in each window; windows begin at multiples of their length, so a day begins at midnight UTC. */
export interface WindowRule {
  readonly kind: 'window'
  readonly limit: number
  readonly windowMs: number
}

export type LimitRule = BucketRule | WindowRule

export interface Charge {
  readonly key: string
  readonly rule: LimitRule
  /** 0 asks whether anything is left. */
  readonly cost: number
  /** What it limits is paid for: nothing is let through while the counts of all processes can't be reached. A rate is counted by the process alone then. */
  readonly spends?: boolean
}

/** Which charge did not fit, and when it would (Unix ms). */
export interface Shortage {
  readonly index: number
  readonly retryAt: number
}

export interface LimitStore {
  /** All or nothing, in one step: null when everything was charged, else the charge that has to wait longest. */
  take(charges: readonly Charge[], now: number): Promise<Shortage | null>
  /** Charges what was used already, also past the limit: it has to be waited out. */
  add(charge: Charge, now: number): Promise<void>
  /** Charges what is known from before, unless something has been counted under the key in this window already. */
  seed(charge: Charge, now: number): Promise<void>
  /** True when something has been counted under this key in the window that `now` is in. */
  has(charge: Pick<Charge, 'key' | 'rule'>, now: number): Promise<boolean>
}
