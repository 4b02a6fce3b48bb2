// The link's decisions, without a link.
import { describe, expect, test } from 'vitest'
import { CopilotError } from '../../shared/errors.ts'
import { admit, afterFailure, heartbeatCounts, MAX_FRUITLESS_RESUMES, mayAsk, mostTelling, orderToTry, reasonOf } from './linkPolicy.ts'

const event = (seq: number, turnId = 't') => ({ type: 'delta' as const, text: 'x', turnId, seq, at: 1 })
const attempt = { protocol: 1, cursor: 5, refreshed: false, fruitless: 0 }
const error = (code: CopilotError['code']): CopilotError => new CopilotError(code, code)

describe('admit', () => {
  test('takes the next number, skips what was seen, and notices gaps and strays', () => {
    expect([admit('t', 3, event(4)), admit('t', 3, event(3)), admit('t', 3, event(5)), admit('t', 3, event(4, 'u'))]).toEqual([
      'take',
      'repeated',
      'gap',
      'stray'
    ])
  })
})

describe('afterFailure', () => {
  test('resumes a lost turn where the peer has a log', () => {
    expect(afterFailure(error('offline'), attempt)).toEqual({ do: 'resume' })
    expect(afterFailure(error('offline'), { ...attempt, cursor: 0 })).toEqual({ do: 'resume' })
  })
  test('leaves it to the outbox after resumes that brought nothing', () => {
    const offline = error('offline')
    expect(afterFailure(offline, { ...attempt, fruitless: MAX_FRUITLESS_RESUMES })).toEqual({ do: 'reject', error: offline })
  })
  test('refreshes the token once', () => {
    const refused = error('unauthenticated')
    expect(afterFailure(refused, attempt)).toEqual({ do: 'refresh' })
    expect(afterFailure(refused, { ...attempt, refreshed: true })).toEqual({ do: 'reject', error: refused })
  })
  test('rejects with a base peer’s failure before the first text, and ends the turn after it', () => {
    const offline = error('offline')
    expect(afterFailure(offline, { ...attempt, protocol: 0, cursor: 0 })).toEqual({ do: 'reject', error: offline })
    expect(afterFailure(offline, { ...attempt, protocol: 0, cursor: 2 })).toMatchObject({ do: 'end', error: { code: 'unavailable' } })
    expect(afterFailure(error('internal'), { ...attempt, protocol: 0, cursor: 2 })).toMatchObject({ do: 'end', error: { code: 'internal' } })
    expect(afterFailure(error('unauthenticated'), { ...attempt, protocol: 0, cursor: 2 })).toMatchObject({ do: 'end' })
    expect(afterFailure(error('unauthenticated'), { ...attempt, protocol: 0, cursor: 0 })).toEqual({ do: 'refresh' })
  })
  test('never resumes what was stopped or refused', () => {
    for (const code of ['cancelled', 'refused', 'rate_limited', 'invalid_request', 'internal', 'unavailable'] as const) {
      expect(afterFailure(error(code), attempt).do).toBe('reject')
    }
  })
})

test('mayAsk: not again what a base peer has answered in part', () => {
  expect([0, 1, 2].map((cursor) => mayAsk({ protocol: 0, cursor }))).toEqual([true, true, false])
  expect(mayAsk({ protocol: 1, cursor: 9 })).toBe(true)
})

test('orderToTry: by preference, rested ones left out, the one just lost last, all when all rest', () => {
  const grpc = { notBefore: 100 }
  const socket = { notBefore: 0 }
  const all = [grpc, socket]
  expect(orderToTry(all, { now: 100, current: null, lost: null })).toEqual([grpc, socket])
  expect(orderToTry(all, { now: 99, current: socket, lost: null })).toEqual([socket])
  expect(orderToTry(all, { now: 100, current: null, lost: grpc })).toEqual([socket, grpc])
  expect(orderToTry([grpc], { now: 0, current: null, lost: null })).toEqual([grpc])
})

test('heartbeatCounts: not while a base peer is busy with our turn', () => {
  expect(heartbeatCounts({ protocol: 0, active: 1 })).toBe(false)
  expect(heartbeatCounts({ protocol: 0, active: 0 })).toBe(true)
  expect(heartbeatCounts({ protocol: 1, active: 1 })).toBe(true)
})

test('mostTelling and reasonOf: the door that answered, in one sentence', () => {
  const remote = { embedded: false, address: 'ai.example:50051' }
  expect(mostTelling([error('offline'), error('unauthenticated')]).code).toBe('unauthenticated')
  expect(mostTelling([error('timeout'), error('offline')]).code).toBe('timeout')
  expect(reasonOf(error('offline'), remote)).toContain('ai.example:50051')
  expect(reasonOf(error('offline'), { embedded: true, address: '' })).toContain('own AI service')
  expect(reasonOf(error('unauthenticated'), remote)).toContain('sign-in')
})
