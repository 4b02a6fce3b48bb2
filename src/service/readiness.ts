// Whether this process should be given questions: its store takes writes, somebody can answer, and it is not on its way out.
import type { Clock } from '../shared/kit/clock.ts'

/** Rejects, or throws, while what it looks at can't be used. */
export type Check = (signal: AbortSignal) => Promise<void>

export interface ReadinessReport {
  readonly ready: boolean
  readonly isDraining: boolean
  /** By name. Why it failed is in the log: the address is open to everybody. */
  readonly checks: Readonly<Record<string, 'ok' | 'failed'>>
}

export interface Readiness {
  /** Looks again after a second; whoever asks in between hears the same. */
  report(): Promise<ReadinessReport>
  /** From now on: not ready. */
  drain(): void
  readonly isDraining: boolean
}

export interface ReadinessOptions {
  readonly checks: Readonly<Record<string, Check>>
  readonly clock: Clock
  readonly onFailed: (check: string, error: unknown) => void
}

/** A probe costs a commit: a flood of them must not be a flood of writes. */
const KEPT_MS = 1_000
const LONGEST_MS = 3_000

export function createReadiness({ checks, clock, onFailed }: ReadinessOptions): Readiness {
  let isDraining = false
  let looked: { readonly at: number; readonly results: Promise<ReadinessReport['checks']> } | null = null
  const failing = new Set<string>()

  const look = async (): Promise<ReadinessReport['checks']> => {
    const signal = AbortSignal.timeout(LONGEST_MS)
    const results = Object.entries(checks).map(async ([name, check]) => {
      try {
        await inTime(check(signal), signal)
        failing.delete(name)
        return [name, 'ok'] as const
      } catch (error) {
        // Told once, not with each probe.
        if (!failing.has(name)) onFailed(name, error)
        failing.add(name)
        return [name, 'failed'] as const
      }
    })
    return Object.fromEntries(await Promise.all(results))
  }

  return {
    async report() {
      const now = clock.now()
      if (looked === null || Math.abs(now - looked.at) >= KEPT_MS) looked = { at: now, results: look() }
      const results = await looked.results
      return { ready: !isDraining && Object.values(results).every((result) => result === 'ok'), isDraining, checks: results }
    },
    drain: () => void (isDraining = true),
    get isDraining() {
      return isDraining
    }
  }
}

/** Also for a check that does not listen to its signal: a disk that hangs says nothing. */
async function inTime(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const late = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', late, { once: true })
  try {
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', late)
  }
}
