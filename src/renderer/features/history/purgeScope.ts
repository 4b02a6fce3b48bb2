// What a purge takes, from what was chosen, and whether the person has typed that they mean it. Pure.
import type { PurgeScope } from '../../../shared/domain.ts'

export interface PurgeChoice {
  /** Empty: every one. */
  readonly clientName: string
  readonly sessionId: string
  /** Unix ms; null or NaN: no date. */
  readonly before: number | null
}

/** Null while nothing was chosen: a purge never takes everything by leaving all fields empty. */
export function purgeScopeOf({ clientName, sessionId, before }: PurgeChoice): PurgeScope | null {
  const scope: PurgeScope = {
    ...(clientName === '' ? {} : { clientName }),
    ...(sessionId === '' ? {} : { sessionId }),
    ...(before === null || !Number.isFinite(before) || before < 0 ? {} : { before })
  }
  return Object.keys(scope).length === 0 ? null : scope
}

/** A count may be typed with the separators of any locale; a name as it is written, but for spaces around it. */
export function isConfirmed(typed: string, expected: string): boolean {
  if (expected === '') return false
  if (/^\d+$/.test(expected)) return typed.replace(/[\s.,'’_]/g, '') === expected
  return typed.trim() === expected.trim()
}
