// What every fuzzed dialect is to the runner, and what a run of it finds.
import type { Chance } from './hostile.ts'

export interface Target {
  /** `host:port`. */
  readonly grpc: string
  readonly http: string
  readonly token: string
}

/** Something that must not happen, with the batch to see it again. */
export interface Finding {
  readonly batch: number
  readonly what: string
}

export interface FuzzedDialect {
  readonly name: string
  /** Opens what it needs; `close` gives everything back. */
  open(target: Target): Promise<Lane>
}

export interface Lane {
  /**
   * Sends so many malformed messages, then a good one, and resolves when that has its answer. Throws what must not happen: an
   * answer that is not specified, a good message that is not answered.
   */
  batch(size: number, chance: Chance, number: number): Promise<void>
  close(): Promise<void>
}

export const GOOD_MS = 20_000

export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
