// Time that a test moves by hand: clock and timers of the link in one.
import type { Timers } from '../../src/main/link/timers.ts'
import type { Clock } from '../../src/shared/kit/clock.ts'

export interface ManualTime extends Clock, Timers {
  /** Lets `ms` pass; timers that become due run in order, and what they began is given room to settle. */
  pass(ms: number): Promise<void>
}

/** Gives promises that are ready room to run to their next real wait. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await Promise.resolve()
}

export function createManualTime(start = 1_000_000): ManualTime {
  let now = start
  let timers: { readonly at: number; readonly task: () => void }[] = []
  return {
    now: () => now,
    after(ms, task) {
      const timer = { at: now + ms, task }
      timers.push(timer)
      return () => (timers = timers.filter((one) => one !== timer))
    },
    async pass(ms) {
      const end = now + ms
      await settle()
      for (;;) {
        const due = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (due === undefined) break
        timers = timers.filter((one) => one !== due)
        now = Math.max(now, due.at)
        due.task()
        await settle()
      }
      now = end
      await settle()
    }
  }
}
