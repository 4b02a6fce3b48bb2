// What other systems know about a business and its resources: a port, and who may look.
import { CopilotError } from '../../shared/errors.ts'
import { roleOf } from '../auth/permissions.ts'

/** On whose behalf is looked. */
export interface Reader {
  readonly role: string
  /** Their own business. */
  readonly businessId: string
}

export interface BusinessInfo {
  /** JSON; null: nothing is known. Throws `forbidden`, or `unavailable` and `timeout` where nothing is known of before either. */
  business(reader: Reader, businessId: string, signal: AbortSignal): Promise<unknown>
  resources(reader: Reader, place: { readonly businessId: string; readonly locationId?: string | undefined }, signal: AbortSignal): Promise<unknown>
  stop(): Promise<void>
}

/** Administrators and other services look into every business, everybody else into their own. Throws `forbidden`. */
export function requireReader({ role, businessId }: Reader, wanted: string): void {
  const known = roleOf(role)
  if (known === 'admin' || known === 'service' || businessId === wanted) return
  throw new CopilotError('forbidden', 'You may look into your own business only.')
}
