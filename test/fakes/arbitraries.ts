// Arbitrary turns for property tests: valid event sequences of every shape.
import fc from 'fast-check'
import { errorCodes } from '../../src/shared/errors.ts'
import { finishReasons, noticeKinds, type TurnEvent, type TurnEventBody } from '../../src/shared/turn.ts'

const count = fc.nat({ max: 1_000_000 })
const at = fc.integer({ min: 1, max: 2_000_000_000_000 })
const word = fc.string({ minLength: 1, maxLength: 12 })
const text = fc.string({ unit: 'binary', maxLength: 20 }).map((t) => t.toWellFormed())
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })
const defined = <T extends object>(record: T): T => Object.fromEntries(Object.entries(record).filter(([, v]) => v !== undefined)) as T

const middle: fc.Arbitrary<TurnEventBody> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('delta' as const), text }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('queued' as const), reason: word, retryAt: maybe(at) }).map(defined) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('status' as const), stage: word, progress: maybe(fc.integer({ min: 0, max: 100 })) }).map(defined)
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        type: fc.constant('citation' as const),
        n: fc.integer({ min: 1, max: 9 }),
        title: word,
        source: word,
        date: maybe(word),
        url: maybe(word),
        excerpt: maybe(text)
      })
      .map(defined)
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('notice' as const), kind: fc.constantFrom(...noticeKinds), text }) }
)
const usage: fc.Arbitrary<TurnEventBody> = fc.record({
  type: fc.constant('usage' as const),
  provider: word,
  model: word,
  inputTokens: count,
  outputTokens: count,
  cachedTokens: count,
  costMicros: count,
  firstTextMs: count,
  totalMs: count,
  failovers: fc.nat({ max: 5 })
})
const done: fc.Arbitrary<TurnEventBody> = fc.record({
  type: fc.constant('done' as const),
  messageId: word,
  finish: fc.constantFrom(...finishReasons)
})
const failed: fc.Arbitrary<TurnEventBody> = fc.record({
  type: fc.constant('failed' as const),
  error: fc
    .record({
      code: fc.constantFrom(...errorCodes),
      message: text,
      retryAfterMs: maybe(count),
      resetAt: maybe(at),
      details: maybe(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), text, { minKeys: 1, maxKeys: 3 })),
      correlationId: maybe(word)
    })
    .map(defined)
})

/** Bodies numbered from 1, as the turn log does. */
export function numbered(turnId: string, bodies: readonly TurnEventBody[], startAt = 1_750_000_000_000): TurnEvent[] {
  return bodies.map((body, index) => ({ ...body, turnId, seq: index + 1, at: startAt + index }) as TurnEvent)
}

/** A whole turn: accepted, anything, usage or not, and an end. */
export const arbitraryTurn = (turnId: string): fc.Arbitrary<TurnEvent[]> =>
  fc
    .tuple(fc.array(middle, { maxLength: 30 }), fc.option(usage, { nil: null }), fc.oneof(done, failed))
    .map(([bodies, used, end]) => numbered(turnId, [{ type: 'accepted', messageId: 'm-answer' }, ...bodies, ...(used === null ? [] : [used]), end]))
