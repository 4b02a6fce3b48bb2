// Notices that the machine woke up or changed its network, where nobody says so: a link that looks dead may work now, and
// one that looks well may be gone.
import type { NetworkInterfaceInfo } from 'node:os'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Timers } from './timers.ts'

export interface SurroundingsOptions {
  readonly clock: Clock
  readonly timers: Timers
  /** `os.networkInterfaces`. */
  readonly interfaces: () => Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>
  readonly onChange: (what: 'network' | 'time') => void
}

const LOOK_EVERY_MS = 3_000
/** A look that comes so much too late, or too early by the clock, slept or was set. */
const SLEPT_MS = 15_000

/** The addresses by which others reach this machine, in one line that changes when they do. */
export function addressesOf(interfaces: ReturnType<SurroundingsOptions['interfaces']>): string {
  const outward = Object.entries(interfaces).flatMap(([name, infos]) =>
    (infos ?? []).filter(({ internal }) => !internal).map(({ cidr }) => `${name} ${cidr}`)
  )
  return outward.sort().join(', ')
}

/** Looks until the returned function is called. */
export function watchSurroundings({ clock, timers, interfaces, onChange }: SurroundingsOptions): () => void {
  let addresses = addressesOf(interfaces())
  let lookedAt = clock.now()
  let callOff = (): void => undefined
  const look = (): void => {
    const now = clock.now()
    const seen = addressesOf(interfaces())
    const slept = Math.abs(now - lookedAt - LOOK_EVERY_MS) > SLEPT_MS
    const moved = seen !== addresses
    lookedAt = now
    addresses = seen
    callOff = timers.after(LOOK_EVERY_MS, look)
    if (moved || slept) onChange(moved ? 'network' : 'time')
  }
  callOff = timers.after(LOOK_EVERY_MS, look)
  return () => callOff()
}
