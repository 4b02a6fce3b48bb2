// What goes out next, and what becomes of what did not get through.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CopilotError, errorCodes } from '../../shared/errors.ts'
import { ASKS_FIRST_AFTER_MS, needsConfirmation } from '../history/delivery.ts'
import type { OutboxRow } from '../history/history.ts'
import { afterFailure, MAX_ATTEMPTS, MAX_PARALLEL, onlyFetch, planOutbox, waitsForWord } from './outboxPolicy.ts'

const NOW = 1_800_000_000_000
const HORIZON = 30 * 86_400_000
const row = (change: Partial<OutboxRow> & { turnId: string }): OutboxRow => ({
  messageId: `m-${change.turnId}`,
  sessionId: 's',
  state: 'waiting',
  position: 1,
  attempts: 0,
  acceptedAt: NOW - 1_000,
  nextAttemptAt: null,
  confirmedAt: null,
  error: null,
  lastSeq: 0,
  ...change
})
const plan = (rows: OutboxRow[], more: { inFlight?: string[]; online?: boolean } = {}) =>
  planOutbox({ rows, inFlight: new Set(more.inFlight), online: more.online ?? true, now: NOW })
const sent = (rows: OutboxRow[], more?: { inFlight?: string[]; online?: boolean }): string[] => plan(rows, more).send.map((r) => r.turnId)

const arbitraryRows = fc
  .array(
    fc.record({
      sessionId: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      state: fc.constantFrom('waiting', 'sending', 'settled', 'failed', 'cancelled'),
      attempts: fc.nat(10),
      acceptedAt: fc.integer({ min: NOW - 3 * ASKS_FIRST_AFTER_MS, max: NOW }),
      nextAttemptAt: fc.option(fc.integer({ min: NOW - 5_000, max: NOW + 5_000 })),
      confirmedAt: fc.option(fc.constant(NOW)),
      lastSeq: fc.nat(3)
    }),
    { maxLength: 24 }
  )
  .map((list) => list.map((r, i) => row({ ...r, turnId: `t${i}`, position: i })))

describe('planOutbox', () => {
  it('sends one question of a session at a time, the oldest open one, and no more than the limit in all', () => {
    fc.assert(
      fc.property(arbitraryRows, fc.array(fc.nat(23), { maxLength: 5 }), (rows, flying) => {
        const inFlight = [...new Set(flying)].filter((i) => rows[i]?.state === 'sending').map((i) => `t${i}`)
        const { send } = plan(rows, { inFlight })
        expect(send.length + inFlight.length).toBeLessThanOrEqual(Math.max(MAX_PARALLEL, inFlight.length))
        expect(new Set(send.map((r) => r.sessionId)).size).toBe(send.length)
        const flyingIn = new Set(rows.filter(({ turnId }) => inFlight.includes(turnId)).map(({ sessionId }) => sessionId))
        expect(send.filter(({ sessionId }) => flyingIn.has(sessionId))).toEqual([])
        for (const chosen of send) {
          const older = rows.filter(
            (r) => r.sessionId === chosen.sessionId && r.position < chosen.position && ['waiting', 'sending'].includes(r.state)
          )
          expect(older.every((r) => needsConfirmation(r, NOW) && !inFlight.includes(r.turnId))).toBe(true)
          expect(['waiting', 'sending']).toContain(chosen.state)
        }
      })
    )
  })
  it('sends nothing while the link is down', () => {
    expect(sent([row({ turnId: 'a' })], { online: false })).toEqual([])
  })
  it('keeps the order of a session while its first question waits for its next attempt', () => {
    const rows = [
      row({ turnId: 'a', nextAttemptAt: NOW + 500 }),
      row({ turnId: 'b', position: 2 }),
      row({ turnId: 'c', sessionId: 'other', position: 3 })
    ]
    expect(plan(rows)).toMatchObject({ send: [{ turnId: 'c' }], wakeAt: NOW + 500 })
  })
  it('lets an older question that comes back into the line wait for the one under way', () => {
    const rows = [row({ turnId: 'rewritten' }), row({ turnId: 'flying', position: 2, state: 'sending' })]
    expect(sent(rows, { inFlight: ['flying'] })).toEqual([])
    expect(sent(rows.slice(0, 1))).toEqual(['rewritten'])
  })
  it('lets the rest pass a question that failed', () => {
    expect(sent([row({ turnId: 'poison', state: 'failed' }), row({ turnId: 'b', position: 2 })])).toEqual(['b'])
  })
  it('asks before it sends what is older than an hour, and lets newer ones pass', () => {
    const old = row({ turnId: 'old', acceptedAt: NOW - ASKS_FIRST_AFTER_MS - 1 })
    expect(sent([old, row({ turnId: 'new', position: 2 })])).toEqual(['new'])
    expect(sent([{ ...old, confirmedAt: NOW }, row({ turnId: 'new', position: 2 })])).toEqual(['old'])
  })
  it('resumes an answer that had begun, however old the question is', () => {
    expect(sent([row({ turnId: 'half', acceptedAt: 0, lastSeq: 7, state: 'sending' })])).toEqual(['half'])
  })
  it('looks after an old question that may have been sent in time, in its place, and leaves one that never was to the person', () => {
    const old = { acceptedAt: NOW - ASKS_FIRST_AFTER_MS - 1 }
    const cut = row({ turnId: 'cut', ...old, error: { code: 'offline', message: 'Cut.' } })
    const killed = row({ turnId: 'killed', ...old, state: 'sending', sessionId: 'other' })
    const never = row({ turnId: 'never', ...old, sessionId: 'third' })
    expect(sent([cut, killed, never, row({ turnId: 'b', position: 2 })])).toEqual(['cut', 'killed'])
    expect([cut, killed, never].map((one) => onlyFetch(one, NOW))).toEqual([true, true, false])
    expect([cut, killed, never].map((one) => waitsForWord(one, NOW))).toEqual([false, false, true])
    expect(onlyFetch({ ...cut, confirmedAt: NOW }, NOW)).toBe(false)
  })
  it('asks first about a question from the future: nobody knows how long it has waited', () => {
    expect(sent([row({ turnId: 'a', acceptedAt: NOW + ASKS_FIRST_AFTER_MS + 1 })])).toEqual([])
    expect(sent([row({ turnId: 'a', acceptedAt: NOW + 5_000 })])).toEqual(['a'])
  })
  it('never waits longer than was ever ordered: a clock that is set back makes no eternity', () => {
    fc.assert(
      fc.property(fc.integer({ min: -HORIZON, max: HORIZON }), fc.option(fc.nat(HORIZON)), (ahead, retryAfterMs) => {
        const error = { code: 'rate_limited', message: 'Wait.', ...(retryAfterMs === null ? {} : { retryAfterMs }) } as const
        const { send, wakeAt } = plan([row({ turnId: 'a', nextAttemptAt: NOW + ahead, error })])
        expect(send.length === 1).toBe(ahead <= 0 || ahead > (retryAfterMs ?? 0) + 60_000)
        expect(wakeAt).toBe(send.length === 1 ? null : NOW + ahead)
      })
    )
  })
  it('orders no wait that it would not keep', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: MAX_ATTEMPTS - 1 }),
        fc.nat(HORIZON),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, retryAfterMs, luck) => {
          const failed = row({ turnId: 'a', attempts })
          const change = afterFailure(failed, new CopilotError('rate_limited', 'Wait.', { retryAfterMs }), NOW, () => luck)
          const waiting = { ...failed, ...change } as OutboxRow
          const at = waiting.nextAttemptAt ?? 0
          expect(at).toBeGreaterThanOrEqual(NOW + retryAfterMs)
          expect(plan([waiting])).toEqual(at > NOW ? { send: [], wakeAt: at } : { send: [waiting], wakeAt: null })
        }
      )
    )
  })
  it('takes up again what an earlier run was sending', () => {
    expect(sent([row({ turnId: 'a', state: 'sending', attempts: 3 })])).toEqual(['a'])
  })
})

describe('afterFailure', () => {
  it('waits for the link when offline, without counting the attempt', () => {
    const change = afterFailure(row({ turnId: 'a', attempts: 3 }), new CopilotError('offline', 'No network.'), NOW, () => 0.5)
    expect(change).toMatchObject({ state: 'waiting', attempts: 2, nextAttemptAt: null })
  })
  it('honours retryAfter, with jitter on top', () => {
    const change = afterFailure(
      row({ turnId: 'a', attempts: 1 }),
      new CopilotError('rate_limited', 'Slow down.', { retryAfterMs: 9_000 }),
      NOW,
      () => 0.5
    )
    expect(change).toMatchObject({ state: 'waiting', nextAttemptAt: NOW + 9_500 })
  })
  it('keeps a question whose sign-in was refused, for a while', () => {
    const refused = new CopilotError('unauthenticated', 'Sign in again.')
    expect(afterFailure(row({ turnId: 'a', attempts: 1 }), refused, NOW, () => 0.5)).toMatchObject({ state: 'waiting', nextAttemptAt: NOW + 500 })
    expect(afterFailure(row({ turnId: 'a', attempts: MAX_ATTEMPTS }), refused, NOW, () => 0.5)).toMatchObject({ state: 'failed' })
  })
  it('fails at once and alone what would fail again: refused, invalid, too large, over the budget', () => {
    for (const code of [
      'refused',
      'invalid_request',
      'context_too_large',
      'context_invalid',
      'budget_exhausted',
      'forbidden',
      'conflict',
      'not_found'
    ] as const) {
      expect(afterFailure(row({ turnId: 'a', attempts: 1 }), new CopilotError(code, 'No.'), NOW, () => 0)).toMatchObject({
        state: 'failed',
        error: { code }
      })
    }
  })
  it('gives a poison message up after the last attempt', () => {
    const change = afterFailure(row({ turnId: 'a', attempts: MAX_ATTEMPTS }), new CopilotError('unavailable', 'Down.'), NOW, () => 0)
    expect(change).toMatchObject({ state: 'failed', nextAttemptAt: null, error: { code: 'unavailable' } })
  })
  it('decides for every code, and never loses the reason', () => {
    for (const code of errorCodes) {
      const change = afterFailure(row({ turnId: 'a', attempts: 1 }), new CopilotError(code, 'Because.'), NOW, () => 0)
      expect(['waiting', 'failed']).toContain(change.state)
      expect(change.error).toMatchObject({ code, message: 'Because.' })
    }
  })
})
