// Sessions, questions and turn events to test a history with.
import type { Session } from '../../src/shared/domain.ts'
import type { Question, TurnEvent, TurnEventBody } from '../../src/shared/turn.ts'

/** A clock that stands still until it is moved. */
export interface HandClock {
  now(): number
  set(at: number): void
}

export const START = Date.UTC(2026, 0, 15, 9, 0, 0)
export const HOUR = 3_600_000
export const usage = {
  provider: 'local',
  model: 'knowledge',
  inputTokens: 120,
  outputTokens: 45,
  cachedTokens: 5,
  costMicros: 321,
  firstTextMs: 90,
  totalMs: 400,
  failovers: 1
}

export function handClock(at = START): HandClock {
  let now = at
  return { now: () => now, set: (next) => void (now = next) }
}

export function turnIdOf(n: number): string {
  return `01934f6e-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
}

export function newSession(id: string, change: Partial<Session> = {}): Session {
  return {
    id,
    title: `Meeting ${id}`,
    clientName: 'Acme',
    meetingType: 'workshop',
    projectContext: 'Moving a data centre',
    serviceTypes: ['migration'],
    cloudProviders: ['aws', 'azure'],
    customFields: { Region: 'eu-west-1' },
    notes: '',
    status: 'active',
    pinned: false,
    createdAt: START,
    updatedAt: START,
    lastActivityAt: START,
    expiresAt: null,
    messageCount: 0,
    ...change
  }
}

export function newQuestion(n: number, text: string, change: Partial<Question> = {}): Question {
  return { turnId: turnIdOf(n), sessionId: 's1', text, context: { client: 'Acme' }, ...change }
}

/** Numbers the bodies from `from` on. */
export function eventsOf(n: number, bodies: readonly TurnEventBody[], from = 1): TurnEvent[] {
  return bodies.map((body, index) => ({ turnId: turnIdOf(n), seq: from + index, at: START + index, ...body }))
}

export function answered(n: number, text: string): TurnEvent[] {
  return eventsOf(n, [
    { type: 'accepted', messageId: `a${n}` },
    { type: 'delta', text },
    { type: 'usage', ...usage },
    { type: 'done', messageId: `a${n}`, finish: 'stop' }
  ])
}
