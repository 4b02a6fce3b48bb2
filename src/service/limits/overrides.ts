// The emergency override: an administrator lifts an organisation's limits and budgets for a time. Every grant, refusal and end is
// on the audit before it counts.
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Audit } from '../audit/audit.ts'
import type { Caller } from '../auth/caller.ts'

export interface Override {
  readonly organisation: string
  /** Unix ms. */
  readonly until: number
  readonly grantedBy: string
  readonly reason: string
}

export interface OverrideOrder {
  readonly organisation: string
  readonly forMs: number
  /** Why, in the words of who grants it; on the audit. */
  readonly reason: string
}

/** Keeps overrides across restarts. */
export interface OverrideStore {
  all(): Promise<readonly Override[]>
  /** Durable when it resolves; one organisation has at most one. */
  put(override: Override): Promise<void>
  remove(organisation: string): Promise<void>
}

export interface Overrides {
  /** Throws `forbidden` for anybody else's role, `invalid_request` for an order without a reason or an end. */
  grant(caller: Caller, order: OverrideOrder): Promise<Override>
  revoke(caller: Caller, organisation: string): Promise<void>
  isLifted(organisation: string): boolean
  /** Those that hold now. */
  active(): readonly Override[]
  /** Reads again what is kept: another process on the same store may have lifted something, or ended it. */
  refresh(): Promise<void>
}

export interface OverridesOptions {
  readonly store: OverrideStore
  readonly audit: Audit
  readonly clock: Clock
  /** Whose word counts. */
  readonly roles: readonly string[]
  /** Told when one was granted or ended here, so that other processes can be told. */
  readonly onChanged?: () => void
}

export const LONGEST_OVERRIDE_MS = 24 * 3_600_000
const LONGEST_REASON = 500

export async function createOverrides({ store, audit, clock, roles, onChanged = () => undefined }: OverridesOptions): Promise<Overrides> {
  let held: ReadonlyMap<string, Override> = new Map()
  const refresh = async (): Promise<void> => {
    held = new Map((await store.all()).map((override) => [override.organisation, override]))
  }
  await refresh()

  const requireRole = async (caller: Caller, organisation: string): Promise<void> => {
    if (roles.includes(caller.role)) return
    await audit.record({ actor: caller.userId, action: 'limit.override.refused', subject: organisation, details: { role: caller.role } })
    throw new CopilotError('forbidden', `Only ${roles.join(' or ')} may lift limits. Ask one of them.`)
  }

  return {
    async grant(caller, { organisation, forMs, reason }) {
      await requireRole(caller, organisation)
      const words = reason.trim()
      if (words === '' || words.length > LONGEST_REASON) throw invalid('reason', `Say why, in at most ${LONGEST_REASON} characters.`)
      if (!Number.isSafeInteger(forMs) || forMs < 1 || forMs > LONGEST_OVERRIDE_MS) throw invalid('for', 'Limits can be lifted for at most 24 hours.')
      const override = { organisation, until: clock.now() + forMs, grantedBy: caller.userId, reason: words }
      const details = { until: override.until, reason: words }
      await audit.record({ actor: caller.userId, action: 'limit.overridden', subject: organisation, details })
      await store.put(override)
      await refresh()
      onChanged()
      return override
    },
    async revoke(caller, organisation) {
      await requireRole(caller, organisation)
      await audit.record({ actor: caller.userId, action: 'limit.restored', subject: organisation })
      await store.remove(organisation)
      await refresh()
      onChanged()
    },
    isLifted: (organisation) => (held.get(organisation)?.until ?? 0) > clock.now(),
    active: () => [...held.values()].filter(({ until }) => until > clock.now()),
    refresh
  }
}

function invalid(field: string, message: string): CopilotError {
  return new CopilotError('invalid_request', message, { details: { field } })
}
