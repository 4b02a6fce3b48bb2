// Drafts, retention, purge and figures of the history in plain arrays: the part of the fake that takes care.
import type { Draft } from '../../src/shared/bridge.ts'
import type { Counts, HistoryStatus, PurgeScope, RetentionRule, Session } from '../../src/shared/domain.ts'
import type { Event, HistoryKeeping } from '../../src/main/history/keeping.ts'

interface KeptMessage {
  readonly id: string
  readonly sessionId: string
  /** Null: brought in by an import. */
  readonly turnId: string | null
  /** When its question was asked. */
  readonly askedAt: number
}

export interface MemoryParts {
  now(): number
  isTurn(turnId: string): boolean
  isUnended(turnId: string): boolean
  sessions(): readonly Session[]
  messages(): readonly KeptMessage[]
  removeMessages(ids: ReadonlySet<string>): void
  removeSession(id: string): void
}

type AtOnce<Call> = Call extends (...args: infer Args) => Promise<infer Result> ? (...args: Args) => Result : never
export interface MemoryKeeping {
  readonly calls: { readonly [Name in keyof HistoryKeeping]: AtOnce<HistoryKeeping[Name]> }
  accepted(turnId: string): void
  /** Unsent text of places that are gone. */
  forget(places: readonly string[]): void
}

const DAY_MS = 86_400_000

export function createMemoryKeeping(parts: MemoryParts): MemoryKeeping {
  const drafts = new Map<string, Draft>()
  const rules = new Map<string, number>()
  const events = new Map<Event, number>()

  const inScope = (scope: PurgeScope): Session[] =>
    parts.sessions().filter(({ id, clientName }) => (scope.sessionId ?? id) === id && (scope.clientName ?? clientName) === clientName)

  function victims(scope: PurgeScope, among = inScope(scope)): { messages: KeptMessage[]; sessions: Session[] } {
    const before = scope.before ?? Number.MAX_SAFE_INTEGER
    const ids = new Set(among.map(({ id }) => id))
    return {
      messages: parts.messages().filter(({ sessionId, askedAt }) => ids.has(sessionId) && askedAt < before),
      sessions: among.filter(({ createdAt, lastActivityAt }) => Math.max(createdAt, lastActivityAt) < before)
    }
  }
  function remove(scope: PurgeScope, among = inScope(scope)): Counts {
    const { messages, sessions } = victims(scope, among)
    for (const { id } of messages) drafts.delete(`edit.${id}`)
    parts.removeMessages(new Set(messages.map(({ id }) => id)))
    const empty = sessions.filter(({ id }) => !parts.messages().some(({ sessionId }) => sessionId === id))
    for (const { id } of empty) {
      drafts.delete(id)
      parts.removeSession(id)
    }
    return { sessions: empty.length, messages: messages.length }
  }

  return {
    accepted(turnId) {
      for (const [place, draft] of drafts) if (draft.turnId === turnId) drafts.delete(place)
    },
    forget(places) {
      for (const place of places) drafts.delete(place)
    },
    calls: {
      keepDraft(place, draft) {
        if (draft.text === '' || (draft.turnId !== null && parts.isTurn(draft.turnId))) drafts.delete(place)
        else drafts.set(place, { ...draft, text: draft.text.toWellFormed() })
      },
      drafts: () => Object.fromEntries(drafts),
      setRetention(clientName, days) {
        if (days === null) rules.delete(clientName)
        else rules.set(clientName, days)
      },
      applyRetention() {
        const total = { sessions: 0, messages: 0 }
        for (const [clientName, days] of rules) {
          const own = parts.sessions().filter((session) => (clientName === '' ? !rules.has(session.clientName) : session.clientName === clientName))
          const { sessions, messages } = remove({ before: parts.now() - days * DAY_MS }, own)
          total.sessions += sessions
          total.messages += messages
        }
        return total
      },
      purgePreview(scope) {
        const { messages, sessions } = victims(scope)
        return { sessions: sessions.length, messages: messages.length }
      },
      unendedTurns: (scope) => [
        ...new Set(
          victims(scope)
            .messages.map(({ turnId }) => turnId)
            .filter((turnId): turnId is string => turnId !== null && parts.isUnended(turnId))
        )
      ],
      purge: (scope) => remove(scope),
      checkPages: () => null,
      copyBegins: () => undefined,
      copyMade: () => undefined,
      status: (): Omit<HistoryStatus, 'keyStorage'> => ({
        sizeBytes: 0,
        sessions: parts.sessions().length,
        messages: parts.messages().length,
        lastBackupAt: events.get('backup') ?? null,
        lastCheckAt: events.get('check') ?? null,
        retention: [...rules]
          .map(([clientName, days]): RetentionRule => ({ clientName, days }))
          .sort((a, b) => (a.clientName < b.clientName ? -1 : 1))
      }),
      noteEvent: (event, at) => void events.set(event, at),
      eventAt: (event) => events.get(event) ?? null
    }
  }
}
