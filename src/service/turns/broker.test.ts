// A turn is answered once, everybody hears the same, and nothing that was heard is ever lost.
import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import { describe, expect, it } from 'vitest'
import { toldAgent, type ToldAgent } from '../../../test/fakes/service-agent.ts'
import { aQuestion, collect, fakeClock, keptLog, never } from '../../../test/fakes/service-parts.ts'
import { CopilotError } from '../../shared/errors.ts'
import { reduceTurn, type TurnEvent } from '../../shared/turn.ts'
import { createBroker, type TurnBroker } from './broker.ts'
import type { TurnLog } from './turnLog.ts'
import { createMemoryTurnLog } from './turnLog.memory.ts'
import { MAX_RESTARTS } from './turnPolicy.ts'

const anna = { userId: 'anna', role: 'user', expiresAt: null }
const bob = { userId: 'bob', role: 'user', expiresAt: null }

function setUp(log: TurnLog = createMemoryTurnLog(), agent: ToldAgent = toldAgent()) {
  const logger = keptLog()
  return { log, agent, logger, broker: createBroker({ log, agent, clock: fakeClock(), newId: uuidv7, logger }) }
}

/** Listens until the end and remembers what came. */
function hear(broker: TurnBroker, question = aQuestion(), afterSeq = 0, signal: AbortSignal = never): { events: TurnEvent[]; ended: Promise<void> } {
  const events: TurnEvent[] = []
  const ended = (async () => {
    for await (const event of broker.ask(anna, question, { signal, afterSeq })) events.push(event)
  })()
  ended.catch(() => undefined)
  return { events, ended }
}

describe('broker', () => {
  it('accepts, streams and ends a turn, numbered from 1 without a gap', async () => {
    const { broker, agent } = setUp()
    const heard = hear(broker)
    const answer = await agent.next()
    answer.say({ type: 'delta', text: 'Hel' })
    answer.say({ type: 'delta', text: 'lo' })
    answer.finish()
    await heard.ended
    expect(heard.events.map(({ type, seq }) => [type, seq])).toEqual([
      ['accepted', 1],
      ['delta', 2],
      ['done', 3]
    ])
    expect(reduceTurn(heard.events)).toMatchObject({ state: 'done', text: 'Hello' })
    expect(agent.received).toHaveLength(1)
  })

  it('answers a turn once, however many ask for it at once and later', async () => {
    const { broker, agent } = setUp()
    const question = aQuestion()
    const many = Array.from({ length: 5 }, () => hear(broker, question))
    const answer = await agent.next()
    answer.say({ type: 'delta', text: 'one' })
    const late = hear(broker, { ...question, context: { changed: 'since' } })
    answer.finish()
    await Promise.all([...many, late].map((heard) => heard.ended))
    const replay = await collect(broker.ask(anna, question, { signal: never }))
    for (const heard of [...many, late]) expect(heard.events).toEqual(replay)
    expect(agent.begun).toHaveLength(1)
  })

  it('refuses new turns beyond its bound, lets known ones in, and takes new ones again', async () => {
    const agent = toldAgent()
    const broker = createBroker({ log: createMemoryTurnLog(), agent, clock: fakeClock(), newId: uuidv7, logger: keptLog(), mostTurns: 2 })
    const [one, two] = [aQuestion(), aQuestion()]
    const heard = [hear(broker, one)]
    const answers = [await agent.next()]
    heard.push(hear(broker, two))
    answers.push(await agent.next())
    await expect(broker.open(anna, aQuestion())).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 2_000 })
    const again = hear(broker, two)
    for (const answer of answers) answer.finish()
    await Promise.all([...heard, again].map(({ ended }) => ended))
    await broker.open(anna, aQuestion())
    expect(agent.received).toHaveLength(3)
  })

  it('refuses the same id for another question, and says nothing of other people’s turns', async () => {
    const { broker, agent } = setUp()
    const question = aQuestion()
    const heard = hear(broker, question)
    ;(await agent.next()).finish()
    await heard.ended
    await expect(broker.open(anna, { ...question, text: 'Something else' })).rejects.toMatchObject({ code: 'conflict' })
    await expect(broker.open(anna, { ...question, quickAction: 'cost' })).rejects.toMatchObject({ code: 'conflict' })
    await expect(broker.open(bob, question)).rejects.toMatchObject({ code: 'not_found' })
    expect(await broker.cancel(bob, question.turnId)).toBe(false)
  })

  it('never continues an answer that it does not have with another one', async () => {
    const { broker, agent } = setUp()
    await expect(broker.open(anna, aQuestion(), { resuming: true })).rejects.toMatchObject({ code: 'not_found' })
    expect(agent.begun).toHaveLength(0)
  })

  it('shows an event only when it is in the log', async () => {
    const inner = createMemoryTurnLog()
    const gate = Promise.withResolvers<void>()
    const { broker, agent } = setUp({ ...inner, append: async (turnId, events) => (await gate.promise, inner.append(turnId, events)) })
    const heard = hear(broker)
    const answer = await agent.next()
    answer.say({ type: 'delta', text: 'x' })
    answer.finish()
    await new Promise((resolve) => setImmediate(resolve))
    // Came into the log with the question.
    expect(heard.events.map(({ type }) => type)).toEqual(['accepted'])
    gate.resolve()
    await heard.ended
    expect(heard.events).toHaveLength(3)
  })

  it('begins the answer while the question is being written, and tells nobody before it is', async () => {
    const inner = createMemoryTurnLog()
    const gate = Promise.withResolvers<void>()
    const { broker, agent, log } = setUp({ ...inner, open: async (...asked) => (await gate.promise, await inner.open(...asked)) })
    const question = aQuestion()
    const heard = hear(broker, question)
    const answer = await agent.next()
    answer.say({ type: 'delta', text: 'early' })
    answer.finish()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(heard.events).toEqual([])
    expect(await log.find(question.turnId)).toBe(null)
    gate.resolve()
    await heard.ended
    expect(reduceTurn(heard.events)).toMatchObject({ state: 'done', text: 'early', lastSeq: 3 })
  })

  it('stops an answer whose question could not be written, and takes the question again', async () => {
    const inner = createMemoryTurnLog()
    const full = new CopilotError('unavailable', 'The disk is full.')
    let opens = 0
    const gate = Promise.withResolvers<void>()
    const open: TurnLog['open'] = async (...asked) => {
      opens += 1
      if (opens > 1) return await inner.open(...asked)
      await gate.promise
      throw full
    }
    const { broker, agent, log } = setUp({ ...inner, open })
    const question = aQuestion()
    const heard = hear(broker, question)
    const answer = await agent.next()
    answer.say({ type: 'delta', text: 'for nobody' })
    gate.resolve()
    await expect(heard.ended).rejects.toBe(full)
    expect(answer.signal.aborted).toBe(true)
    expect(heard.events).toEqual([])
    expect(await log.find(question.turnId)).toBe(null)
    expect(broker.liveTurns).toBe(0)
    const again = hear(broker, question)
    ;(await agent.next()).finish()
    await again.ended
    expect(reduceTurn(again.events)).toMatchObject({ state: 'done', text: '' })
  })

  it('lets a listener go without ending the turn', async () => {
    const { broker, agent } = setUp()
    const question = aQuestion()
    const leaving = new AbortController()
    const heard = hear(broker, question, 0, leaving.signal)
    const answer = await agent.next()
    leaving.abort()
    await expect(heard.ended).rejects.toMatchObject({ code: 'cancelled' })
    expect(answer.signal.aborted).toBe(false)
    answer.say({ type: 'delta', text: 'still here' })
    answer.finish()
    expect(reduceTurn(await collect(broker.ask(anna, question, { signal: never })))).toMatchObject({ state: 'done', text: 'still here' })
  })

  it.each([false, true])('cancels for everybody and stops the agent (deaf: %s)', async (deaf) => {
    const { broker, agent } = setUp(undefined, toldAgent({ deaf }))
    const question = aQuestion()
    const heard = [hear(broker, question), hear(broker, question)]
    const answer = await agent.next()
    answer.say({ type: 'delta', text: 'so far' })
    expect(await broker.cancel(anna, question.turnId)).toBe(true)
    expect(answer.signal.aborted).toBe(true)
    answer.say({ type: 'delta', text: ' too late' })
    await Promise.all(heard.map(({ ended }) => ended))
    for (const { events } of heard) expect(reduceTurn(events)).toMatchObject({ state: 'cancelled', text: 'so far' })
    expect(await broker.cancel(anna, question.turnId)).toBe(false)
  })

  it('passes an expected failure on whole and hides a bug', async () => {
    const { broker, agent, logger } = setUp()
    const [expected, bug] = [hear(broker), hear(broker)]
    await Promise.resolve()
    while (agent.begun.length < 2) await new Promise((resolve) => setImmediate(resolve))
    agent.begun[0]?.fail(new CopilotError('rate_limited', 'Wait.', { retryAfterMs: 7 }))
    agent.begun[1]?.fail(new TypeError('secret of the house'))
    await Promise.all([expected.ended, bug.ended])
    expect(expected.events.at(-1)).toMatchObject({ type: 'failed', error: { code: 'rate_limited', message: 'Wait.', retryAfterMs: 7 } })
    expect(bug.events.at(-1)).toMatchObject({ type: 'failed', error: { code: 'internal' } })
    expect(JSON.stringify([bug.events, logger.lines])).not.toContain('secret of the house')
    expect(logger.lines).toMatchObject([{ level: 'error', event: 'turn.bug' }])
  })

  it('tells listeners when the log refuses, and answers the turn when asked again', async () => {
    const inner = createMemoryTurnLog()
    let full = true
    const log: TurnLog = {
      ...inner,
      append: (turnId, events) => (full ? Promise.reject(new CopilotError('unavailable', 'The disk is full.')) : inner.append(turnId, events))
    }
    const { broker, agent } = setUp(log)
    const question = aQuestion()
    const heard = hear(broker, question)
    const first = await agent.next()
    first.say({ type: 'delta', text: 'never shown' })
    await expect(heard.ended).rejects.toMatchObject({ code: 'unavailable', message: 'The disk is full.' })
    // Nobody hears the rest of it.
    expect(first.signal.aborted).toBe(true)
    first.finish()
    full = false
    await new Promise((resolve) => setImmediate(resolve))
    const again = hear(broker, question)
    const second = await agent.next()
    second.say({ type: 'delta', text: 'shown' })
    second.finish()
    await again.ended
    expect(reduceTurn(again.events)).toMatchObject({ state: 'done', text: 'shown' })
  })
})

describe('broker after a restart', () => {
  async function leftBehind(say: (agent: ToldAgent) => Promise<void>) {
    const log = createMemoryTurnLog()
    const before = setUp(log)
    const question = aQuestion()
    const heard = hear(before.broker, question)
    await say(before.agent)
    await new Promise((resolve) => setImmediate(resolve))
    // The process is gone: nothing of it writes any more.
    return { question, heard: heard.events.slice(), ...setUp(log) }
  }

  it('asks a turn again of which nobody has read a word', async () => {
    const { broker, agent, question } = await leftBehind(async (old) => {
      ;(await old.next()).say({ type: 'status', stage: 'Looking' })
    })
    const next = agent.next()
    expect(await broker.revive()).toEqual({ restarted: 1, ended: 0 })
    const answer = await next
    answer.say({ type: 'delta', text: 'now' })
    answer.finish()
    const events = await collect(broker.ask(anna, question, { signal: never }))
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(reduceTurn(events)).toMatchObject({ state: 'done', text: 'now', notices: [{ kind: 'resumed' }] })
  })

  it('tells an answer on from where it broke off, when the second telling begins like the first', async () => {
    const { broker, agent, question, heard } = await leftBehind(async (old) => {
      const answer = await old.next()
      answer.say({ type: 'delta', text: 'half ' })
      answer.say({ type: 'citation', n: 1, title: 'T', source: 'S' })
    })
    const next = agent.next()
    expect(await broker.revive()).toEqual({ restarted: 1, ended: 0 })
    const answer = await next
    answer.say({ type: 'status', stage: 'Looking' })
    answer.say({ type: 'delta', text: 'ha' })
    answer.say({ type: 'delta', text: 'lf and ' })
    answer.say({ type: 'citation', n: 1, title: 'T', source: 'S' })
    answer.say({ type: 'delta', text: 'whole' })
    answer.finish()
    const events = await collect(broker.ask(anna, question, { signal: never }))
    expect(events.slice(0, heard.length)).toEqual(heard)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(events.map(({ type }) => type)).toEqual(['accepted', 'delta', 'citation', 'notice', 'delta', 'done'])
    expect(reduceTurn(events)).toMatchObject({ state: 'done', text: 'half and whole' })
  })

  it.each([
    ['another one', 'hard'],
    ['a shorter one', 'ha']
  ])('never continues an answer with %s: ends the turn, keeps its text, and continues its numbers', async (_kind, second) => {
    const { broker, agent, question, heard } = await leftBehind(async (old) => {
      ;(await old.next()).say({ type: 'delta', text: 'half' })
    })
    const next = agent.next()
    await broker.revive()
    const answer = await next
    answer.say({ type: 'delta', text: second })
    answer.say({ type: 'delta', text: '' })
    answer.finish()
    const events = await collect(broker.ask(anna, question, { signal: never }))
    expect(events.slice(0, heard.length)).toEqual(heard)
    expect(reduceTurn(events)).toMatchObject({ state: 'failed', text: 'half', error: { code: 'unavailable' } })
    expect(answer.signal.aborted).toBe(second === 'hard')
  })

  it('ends a turn that was being answered at too many ends of the service', async () => {
    const log = createMemoryTurnLog()
    const question = aQuestion()
    hear(setUp(log).broker, question)
    await new Promise((resolve) => setImmediate(resolve))
    const counts: number[] = []
    for (let life = 0; life <= MAX_RESTARTS; life += 1) {
      counts.push((await setUp(log).broker.revive()).restarted)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(counts).toEqual([...Array.from({ length: MAX_RESTARTS }, () => 1), 0])
    expect(reduceTurn(await log.read(question.turnId, 0))).toMatchObject({ state: 'failed', error: { code: 'unavailable' } })
  })

  it('finishes what is live when it stops, within the time it has', async () => {
    const { broker, agent } = setUp()
    const heard = hear(broker)
    const answer = await agent.next()
    const stopped = broker.stop(5_000)
    await expect(broker.open(anna, aQuestion())).rejects.toMatchObject({ code: 'unavailable' })
    answer.say({ type: 'delta', text: 'in time' })
    answer.finish()
    await Promise.all([stopped, heard.ended])
    expect(reduceTurn(heard.events)).toMatchObject({ state: 'done', text: 'in time' })
  })

  it('leaves what it could not finish for the next start', async () => {
    const log = createMemoryTurnLog()
    const { broker, agent } = setUp(log)
    const [silent, begun] = [aQuestion({ text: 'silent' }), aQuestion({ text: 'begun' })]
    const heard = [hear(broker, silent), hear(broker, begun)]
    while (agent.begun.length < 2) await new Promise((resolve) => setImmediate(resolve))
    agent.begun.find(({ turn }) => turn.question.text === 'begun')?.say({ type: 'delta', text: 'half' })
    await broker.stop(0)
    await expect(heard[0]?.ended).rejects.toMatchObject({ code: 'unavailable' })
    await expect(heard[1]?.ended).rejects.toMatchObject({ code: 'unavailable' })
    expect(reduceTurn(heard[1]?.events ?? [])).toMatchObject({ state: 'answering', text: 'half' })
    expect(new Set((await log.unfinished()).map(({ turnId }) => turnId))).toEqual(new Set([silent.turnId, begun.turnId]))
  })
})

describe('any interleaving', () => {
  it('of saying, listening, leaving and coming back hears exactly the log', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('say' as const), text: fc.string({ minLength: 1, maxLength: 4 }) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('listen' as const), back: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat(5) }) },
      { weight: 6, arbitrary: fc.record({ do: fc.constant('tick' as const) }) }
    )
    let resumed = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
        fc.scheduler(),
        fc.boolean(),
        async (steps, scheduler, cancels) => {
          const inner = createMemoryTurnLog()
          // The scheduler decides when each commit is done.
          const log: TurnLog = {
            ...inner,
            append: scheduler.scheduleFunction((turnId: string, events: readonly TurnEvent[]) => inner.append(turnId, events))
          }
          const { broker, agent } = setUp(log)
          const question = aQuestion()
          const listeners: { heard: ReturnType<typeof hear>; leaving: AbortController; afterSeq: number }[] = []
          const listen = (back: number): void => {
            const leaving = new AbortController()
            const longest = Math.max(0, ...listeners.map(({ heard, afterSeq }) => afterSeq + heard.events.length))
            const afterSeq = Math.max(0, longest - back)
            listeners.push({ heard: hear(broker, question, afterSeq, leaving.signal), leaving, afterSeq })
          }
          listen(0)
          const answer = await agent.next()
          let said = ''
          for (const one of steps) {
            if (one.do === 'say') {
              answer.say({ type: 'delta', text: one.text })
              said += one.text
            } else if (one.do === 'listen') listen(one.back)
            else if (one.do === 'leave') listeners[one.which]?.leaving.abort()
            else if (scheduler.count() > 0) await scheduler.waitOne()
            // What was set free is heard before the next step.
            await new Promise((resolve) => setImmediate(resolve))
          }
          if (cancels) void broker.cancel(anna, question.turnId)
          else answer.finish()
          await scheduler.waitIdle()
          await Promise.allSettled(listeners.map(({ heard }) => heard.ended))
          const whole = await inner.read(question.turnId, 0)
          expect(whole.map(({ seq }) => seq)).toEqual(whole.map((_, index) => index + 1))
          expect(reduceTurn(whole)).toMatchObject({ text: said, state: cancels ? 'cancelled' : 'done' })
          resumed += listeners.filter(({ afterSeq }) => afterSeq > 0).length
          for (const { heard, leaving, afterSeq } of listeners) {
            const expected = whole.slice(afterSeq)
            expect(heard.events).toEqual(leaving.signal.aborted ? expected.slice(0, heard.events.length) : expected)
          }
        }
      ),
      { numRuns: 150 }
    )
    // The property says something about coming back only if somebody did.
    expect(resumed).toBeGreaterThan(100)
  })
})
