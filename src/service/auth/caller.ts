// Who asks, once the token has been read. Everything a caller owns hangs on `userId`.
import { CopilotError } from '../../shared/errors.ts'

export interface Caller {
  readonly userId: string
  readonly role: string
  /** Who pays, and what they may; absent: the token does not say. */
  readonly organisation?: string | undefined
  readonly tier?: string | undefined
  /** The desktop that started this service: it shares it with nobody, so only budgets hold it back. */
  readonly isOwner?: boolean | undefined
  /** Unix ms; null: as long as the service runs. */
  readonly expiresAt: number | null
}

const OWN = 'user:'

/** Whoever names no organisation is one of their own. */
export function ownOrganisation(userId: string): string {
  return `${OWN}${userId}`
}

/** No token may name it: it would be somebody else's purse and shelf. */
export function isSomebodysOwn(organisation: string): boolean {
  return organisation.startsWith(OWN)
}

/** What the service calls itself, the desktop it runs in and other services; no token may name them. */
export function isReservedName(userId: string): boolean {
  return /^(?:local$|service$|client:)/.test(userId)
}

/** Throws `unauthenticated` once the caller's token has run out; for every message on a connection that stays open. */
export function requireFresh(caller: Caller, now: number): void {
  if (caller.expiresAt !== null && caller.expiresAt <= now) {
    throw new CopilotError('unauthenticated', 'The sign-in has expired. Nothing was lost; sign in again and the question goes out.')
  }
}

/** Throws `forbidden` when a message claims to come from somebody else than its token says. */
export function requireSameUser(caller: Caller, claimedUserId: string | undefined): void {
  if (claimedUserId !== undefined && claimedUserId !== '' && claimedUserId !== caller.userId) {
    throw new CopilotError('forbidden', 'The message names another user than its token. Leave user_id out, or use that user\u2019s token.')
  }
}
