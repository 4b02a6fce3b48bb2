// What every transport of the link promises, whatever is at the other end: our own service, or a peer that knows only
// the base fields. Runs on both adapters, see transport.test.ts.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServiceAddress, Transport } from '../../src/main/link/link.ts'
import { CopilotError } from '../../src/shared/errors.ts'
import { isTerminal, reduceTurn, type Question, type TurnEvent } from '../../src/shared/turn.ts'
import type { ServicePeer } from '../fakes/service-peer.ts'

export interface Bench {
  readonly transport: Transport
  /** A question that the peer answers with these words, each as a piece with a space after it. */
  questionFor(words: readonly string[]): string
  stop(): Promise<void>
}
export interface FullBench extends Bench {
  readonly peer: ServicePeer
  readonly door: 'grpc' | 'socket'
  /** The token that the transport sends. */
  useToken(token: string | null): void
}

export function addressOf(fields: Partial<ServiceAddress>): ServiceAddress {
  return { grpc: null, http: null, secure: false, embedded: false, token: () => Promise.resolve(null), ...fields }
}
export function questionOf(text: string, more: Partial<Question> = {}): Question {
  return { turnId: randomUUID(), sessionId: 's-1', text, context: { client: 'ACME' }, ...more }
}
const never = (): AbortSignal => new AbortController().signal

/** All events of a turn; with a signal that is never aborted unless given. */
export async function collect(transport: Transport, question: Question, afterSeq = 0, signal = never()): Promise<TurnEvent[]> {
  const events: TurnEvent[] = []
  for await (const event of transport.ask(question, { signal, afterSeq })) events.push(event)
  return events
}
/** What `work` is rejected with; fails the test when it is not. */
export async function failureOf(work: Promise<unknown>): Promise<CopilotError> {
  const outcome = await work.then(
    () => null,
    (error: unknown) => error
  )
  expect(outcome).toBeInstanceOf(CopilotError)
  return outcome as CopilotError
}

const words = ['Zürich', 'asks:', '<b>why?</b>', '😀', '一二三']

/** Holds for every peer, also for one that knows only the base fields. */
export function baseContract(name: string, open: () => Promise<Bench>): void {
  describe(`transport ${name}: a conversation`, () => {
    let bench: Bench
    beforeAll(async () => {
      bench = await open()
    })
    afterAll(async () => bench.stop())

    test('streams the answer in pieces, numbered from 1 without gaps, from accepted to done', async () => {
      const question = questionOf(bench.questionFor(words))
      const events = await collect(bench.transport, question)
      expect(events.map((event) => event.seq)).toEqual(events.map((_event, index) => index + 1))
      expect(events[0]).toMatchObject({ type: 'accepted', turnId: question.turnId })
      expect(events.filter((event) => event.type === 'delta').length).toBeGreaterThan(1)
      expect(reduceTurn(events)).toMatchObject({ state: 'done', text: words.map((word) => `${word} `).join(''), gapAfter: null })
    })

    test('gives each of several questions asked at once its own answer', async () => {
      const all = await Promise.all(
        ['one', 'two', 'three'].map(async (word) => {
          const mine = [word, word, word, word]
          return reduceTurn(await collect(bench.transport, questionOf(bench.questionFor(mine)))).text
        })
      )
      expect(all).toEqual(['one '.repeat(4), 'two '.repeat(4), 'three '.repeat(4)])
    })

    test('carries a question of 32,000 characters and its answer', async () => {
      const long = 'x'.repeat(15_900)
      expect(reduceTurn(await collect(bench.transport, questionOf(bench.questionFor([long, long])))).text).toBe(`${long} ${long} `)
    })

    test('lets go when the signal aborts, and the next answer has no word of the old one', async () => {
      const controller = new AbortController()
      const asked = bench.transport.ask(questionOf(bench.questionFor(Array.from({ length: 300 }, () => 'old'))), { signal: controller.signal })
      const failure = await failureOf(
        (async () => {
          for await (const event of asked) if (event.type === 'delta') controller.abort()
        })()
      )
      expect(failure.code).toBe('cancelled')
      expect(reduceTurn(await collect(bench.transport, questionOf(bench.questionFor(['new', 'words'])))).text).toBe('new words ')
    })

    test('lets go when the reader stops reading, and goes on with the next question', async () => {
      for await (const event of bench.transport.ask(questionOf(bench.questionFor(['a', 'b', 'c'])), { signal: never() }))
        if (event.type === 'delta') break
      expect(reduceTurn(await collect(bench.transport, questionOf(bench.questionFor(['d', 'e'])))).text).toBe('d e ')
    })

    test('asks nothing when the signal was aborted before', async () => {
      expect((await failureOf(collect(bench.transport, questionOf(bench.questionFor(['a'])), 0, AbortSignal.abort()))).code).toBe('cancelled')
    })

    test('says hello', async () => {
      expect(['grpc', 'websocket', 'polling']).toContain((await bench.transport.hello(never())).via)
    })

    test('connects anew after it was dropped', async () => {
      bench.transport.drop()
      expect(reduceTurn(await collect(bench.transport, questionOf(bench.questionFor(['back'])))).text).toBe('back ')
    })
  })
}

/** Holds for every transport whose peer is not there; `open` gives one that nobody answers. */
export function absentContract(name: string, open: () => Transport): void {
  describe(`transport ${name}: nobody there`, () => {
    test('rejects with offline, for asking and for hello, and after it was stopped', async () => {
      const transport = open()
      expect((await failureOf(collect(transport, questionOf('anyone?')))).code).toBe('offline')
      expect((await failureOf(transport.hello(never()))).code).toBe('offline')
      await transport.stop()
      expect((await failureOf(transport.hello(never()))).code).toBe('offline')
    })
  })
}

/** Holds where the peer speaks the full protocol. */
export function fullContract(name: string, open: () => Promise<FullBench>): void {
  describe(`transport ${name}: the full protocol`, () => {
    let bench: FullBench
    beforeAll(async () => {
      bench = await open()
    })
    afterAll(async () => bench.stop())

    const whole: readonly Parameters<ServicePeer['script']>[1][number][] = [
      { type: 'accepted', messageId: 'm-1' },
      { type: 'queued', reason: 'one before you', retryAt: 1_700_000_000_000 },
      { type: 'status', stage: 'searching', progress: 40 },
      { type: 'delta', text: 'S3 costs ' },
      { type: 'citation', n: 1, title: 'Prices', source: 'AWS', date: '2026-01-01', url: 'https://aws.amazon.com/s3/pricing/', excerpt: 'per GB' },
      { type: 'delta', text: 'little [1].\n' },
      { type: 'notice', kind: 'local', text: 'No model was asked.' },
      {
        type: 'usage',
        provider: 'local',
        model: 'knowledge',
        inputTokens: 3,
        outputTokens: 5,
        cachedTokens: 1,
        costMicros: 12,
        firstTextMs: 1.5,
        totalMs: 20,
        failovers: 0
      },
      { type: 'done', messageId: 'm-1', finish: 'stop' }
    ]

    test('brings every kind of event whole', async () => {
      bench.peer.script('all kinds', whole)
      const events = await collect(bench.transport, questionOf('all kinds'))
      expect(events.map(({ turnId: _turnId, seq: _seq, at: _at, ...body }) => body)).toEqual(whole)
    })

    test('says who is there', async () => {
      expect(await bench.transport.hello(never())).toMatchObject({ protocol: 1, version: '9.9.9', answeredBy: 'The scripted peer' })
    })

    test('sends context, session and quick action along', async () => {
      const question = questionOf('with context', { quickAction: 'cost' })
      await collect(bench.transport, question)
      expect(bench.peer.asked.at(-1)).toMatchObject({
        door: bench.door,
        text: 'with context',
        context: { client: 'ACME' },
        sessionId: 's-1',
        quickAction: 'cost'
      })
    })

    test('replays from the event after the given one', async () => {
      const question = questionOf('one two three')
      const all = await collect(bench.transport, question)
      expect(await collect(bench.transport, question, 2)).toEqual(all.slice(2))
    })

    test('rejects with offline when the link is cut, and resumes without a repeated or missing character', async () => {
      const cut = Promise.withResolvers<void>()
      bench.peer.script('cut me', [
        { type: 'accepted', messageId: 'm-1' },
        { type: 'delta', text: 'be' },
        { type: 'wait', until: cut.promise },
        { type: 'delta', text: 'fore and after' },
        { type: 'done', messageId: 'm-1', finish: 'stop' }
      ])
      const question = questionOf('cut me')
      const events: TurnEvent[] = []
      const failure = await failureOf(
        (async () => {
          for await (const event of bench.transport.ask(question, { signal: never() })) {
            events.push(event)
            if (event.type === 'delta') await bench.peer.doors[bench.door].shut()
          }
        })()
      )
      expect(failure.code).toBe('offline')
      await bench.peer.doors[bench.door].open()
      cut.resolve()
      events.push(...(await collect(bench.transport, question, events.length)))
      expect(reduceTurn(events)).toMatchObject({ text: 'before and after', state: 'done', gapAfter: null })
    })

    test('tells when the connection was lost while nobody asked', async () => {
      await bench.transport.hello(never())
      const lost = new Promise<string>((resolve) => bench.transport.onLost(() => resolve('told')))
      await bench.peer.doors[bench.door].shut()
      expect(await lost).toBe('told')
      await bench.peer.doors[bench.door].open()
    })

    test('cancels a turn for everybody', async () => {
      bench.peer.script('long', [
        { type: 'accepted', messageId: 'm-1' },
        { type: 'delta', text: 'so' },
        { type: 'wait', until: new Promise(() => undefined) }
      ])
      const question = questionOf('long')
      const events: TurnEvent[] = []
      let cancelled = false
      for await (const event of bench.transport.ask(question, { signal: never() })) {
        events.push(event)
        if (event.type === 'delta') cancelled = await bench.transport.cancel(question.turnId, never())
      }
      expect(cancelled).toBe(true)
      expect(reduceTurn(events)).toMatchObject({ state: 'cancelled', text: 'so' })
    })

    test('resolves false for a turn that the service does not know', async () => {
      expect(await bench.transport.cancel(randomUUID(), never())).toBe(false)
    })

    test('brings a failure as the last event, and ends', async () => {
      const error = {
        code: 'rate_limited' as const,
        message: 'Zu viele Fragen – wait.',
        retryAfterMs: 1_500,
        details: { limit: '60' },
        correlationId: 'c-1'
      }
      bench.peer.script('fails', [
        { type: 'accepted', messageId: 'm-1' },
        { type: 'failed', error }
      ])
      const events = await collect(bench.transport, questionOf('fails'))
      expect(isTerminal(events[1] as TurnEvent)).toBe(true)
      expect(events[1]).toMatchObject({ type: 'failed', error })
    })

    test('rejects with the service’s own error when it does not take the question', async () => {
      const refusal = { code: 'budget_exhausted' as const, message: 'Das Budget ist aufgebraucht – €0.', resetAt: 1_800_000_000_000 }
      bench.peer.refuse(refusal)
      const failure = await failureOf(collect(bench.transport, questionOf('costly')))
      bench.peer.refuse(null)
      expect(failure.toWire()).toEqual(refusal)
    })

    test('rejects with unauthenticated, and is let in with a fresh token', async () => {
      bench.peer.requireToken('fresh')
      bench.useToken('stale')
      bench.transport.drop()
      expect((await failureOf(collect(bench.transport, questionOf('hello')))).code).toBe('unauthenticated')
      bench.useToken('fresh')
      expect(reduceTurn(await collect(bench.transport, questionOf('hello'))).text).toBe('hello')
      bench.peer.requireToken(null)
    })

    test('rejects with unauthenticated when the token ends in mid-answer, and resumes with a fresh one', async () => {
      const later = Promise.withResolvers<void>()
      bench.peer.script('expires', [
        { type: 'accepted', messageId: 'm-1' },
        { type: 'delta', text: 'to' },
        { type: 'wait', until: later.promise },
        { type: 'delta', text: 'gether' },
        { type: 'done', messageId: 'm-1', finish: 'stop' }
      ])
      bench.useToken('short')
      bench.transport.drop()
      const question = questionOf('expires')
      const events: TurnEvent[] = []
      const failure = await failureOf(
        (async () => {
          for await (const event of bench.transport.ask(question, { signal: never() })) {
            events.push(event)
            if (event.type === 'delta') bench.peer.requireToken('long')
          }
        })()
      )
      expect(failure.code).toBe('unauthenticated')
      bench.useToken('long')
      later.resolve()
      events.push(...(await collect(bench.transport, question, events.length)))
      expect(reduceTurn(events)).toMatchObject({ text: 'together', state: 'done' })
      bench.peer.requireToken(null)
    })

    test('rejects with offline while the door is shut, and works when it is open again', async () => {
      await bench.peer.doors[bench.door].shut()
      expect((await failureOf(bench.transport.hello(never()))).code).toBe('offline')
      await bench.peer.doors[bench.door].open()
      expect(reduceTurn(await collect(bench.transport, questionOf('open again'))).text).toBe('open again')
    })
  })
}
