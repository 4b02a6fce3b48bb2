// The outbox as a whole under any schedule of failures: kills, cuts, refusals, clocks that jump, and a person who changes
// their mind. History in memory, time moved by hand.
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { numbered } from '../../../test/fakes/arbitraries.ts'
import { newSession } from '../../../test/fakes/historySamples.ts'
import { createMemoryHistory } from '../../../test/fakes/history.memory.ts'
import { CopilotError, type ErrorCode } from '../../shared/errors.ts'
import type { LinkStatus } from '../../shared/domain.ts'
import type { Question, TurnEvent } from '../../shared/turn.ts'
import { createDesk, type Desk } from '../ask/desk.ts'
import { createRecorder } from '../ask/recorder.ts'
import { isStale, needsConfirmation } from '../history/delivery.ts'
import type { History } from '../history/history.ts'
import type { Link } from '../link/link.ts'
import { silentLog } from '../log.ts'
import { createPump, type Pump } from './pump.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_800_000_000_000 }))
afterEach(() => void vi.useRealTimers())

const clock = { now: () => Date.now() }
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const SESSIONS = ['s0', 's1', 's2']

/** What becomes of one attempt. `cut`: after so many events; -1: before the service has heard of it. */
type Fate = { readonly cut: number } | { readonly refuse: ErrorCode; readonly retryAfterMs?: number } | 'whole'

const answerTo = (text: string): string => `You asked: ${text}.`
const eventsOf = ({ turnId, text }: Question): TurnEvent[] =>
  numbered(turnId, [
    { type: 'accepted', messageId: `a-${turnId}` },
    { type: 'delta', text: 'You asked: ' },
    { type: 'delta', text },
    { type: 'delta', text: '.' },
    { type: 'done', messageId: `a-${turnId}`, finish: 'stop' }
  ])

/** A service that keeps turns, its network, and one desktop after the other on one history. */
async function createWorld() {
  const history = createMemoryHistory({ clock })
  for (const id of SESSIONS) await history.createSession(newSession(id))
  const turns = new Map<string, TurnEvent[]>()
  const asks = { count: 0 }
  const faults: string[] = []
  /** Turns that the person took back before the service had them. */
  const takenBack = new Set<string>()
  const listeners = new Set<() => void>()
  let fates: Fate[] = []
  let online = true
  let ids = 0
  const newId = (): string => `0198c5f0-0000-7000-8000-${String(++ids).padStart(12, '0')}`

  async function take(question: Question): Promise<TurnEvent[]> {
    const known = turns.get(question.turnId)
    if (known !== undefined) return known
    const rows = await history.outbox()
    const now = clock.now()
    const own = rows.find(({ turnId }) => turnId === question.turnId)
    if (own !== undefined && isStale(own, now)) faults.push(`${question.text} is old and was sent unasked`)
    for (const row of rows) {
      const isOpen = (row.state === 'waiting' || row.state === 'sending') && !needsConfirmation(row, now)
      // Asked before by the number of its turn, too: one that was rewritten or sent again by hand takes its old place later.
      const isBefore = own !== undefined && row.sessionId === own.sessionId && row.position < own.position
      const stayed = row.turnId < question.turnId && row.confirmedAt === null
      if (isOpen && isBefore && stayed && !turns.has(row.turnId)) faults.push(`${question.text} overtook an older question`)
    }
    if (takenBack.has(question.turnId)) faults.push(`${question.text} was sent though it had been taken back`)
    const events = eventsOf(question)
    turns.set(question.turnId, events)
    return events
  }

  /** @param speaking sessions of which this desktop has a question under way. */
  async function* ask(question: Question, afterSeq: number, speaking: Set<string>): AsyncGenerator<TurnEvent> {
    asks.count += 1
    await Promise.resolve()
    const [fate = 'whole', ...rest] = fates
    fates = rest
    if (!online) throw new CopilotError('offline', 'No network.')
    if (fate !== 'whole' && 'refuse' in fate) throw new CopilotError(fate.refuse, 'Refused by the test.', { retryAfterMs: fate.retryAfterMs })
    if (fate !== 'whole' && fate.cut < 0) throw new CopilotError('offline', 'Cut before it was heard.')
    if (afterSeq > 0 && !turns.has(question.turnId)) throw new CopilotError('not_found', 'Not kept.')
    if (speaking.has(question.sessionId)) faults.push(`two questions of ${question.sessionId} at once`)
    speaking.add(question.sessionId)
    try {
      const events = await take(question)
      for (const [index, event] of events.slice(afterSeq).entries()) {
        await Promise.resolve()
        if (!online || (fate !== 'whole' && index >= fate.cut)) throw new CopilotError('offline', 'Cut.')
        yield event
      }
    } finally {
      speaking.delete(question.sessionId)
    }
  }

  /** One desktop; after `kill` nothing of it has any effect any more. */
  function live(): { desk: Desk; pump: Pump; kill(): void } {
    const life = { ended: false }
    const speaking = new Set<string>()
    const never = new Promise<never>(() => undefined)
    const mortal = new Proxy(history, {
      get:
        (target, name: keyof History) =>
        async (...args: never[]) => {
          if (life.ended) return never
          const result = await (target[name] as (...all: never[]) => Promise<unknown>)(...args)
          return life.ended ? never : result
        }
    })
    const link: Link = {
      async *ask(question, { signal, afterSeq = 0 }) {
        for await (const event of ask(question, afterSeq, speaking)) {
          if (life.ended) await never
          if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.')
          yield event
        }
      },
      async knows(question) {
        if (!online) throw new CopilotError('offline', 'No network.')
        return turns.has(question.turnId)
      },
      cancel: () => Promise.resolve(false),
      status: () => ({ state: online ? 'online' : 'offline' }) as LinkStatus,
      onStatus: () => () => undefined,
      recheck: () => undefined,
      stop: () => Promise.resolve()
    }
    const recorder = createRecorder(mortal, { onEvents: () => undefined, onSaved: () => undefined })
    const pump = createPump({ history: mortal, link, recorder, clock, random: () => 0.5, log: silentLog, onMessage: () => undefined })
    const desk = createDesk({ history: mortal, pump, clock, newId, onMessage: () => undefined, onSession: () => undefined })
    const onStatus = (): void => pump.wake()
    listeners.add(onStatus)
    pump.wake()
    return {
      desk,
      pump,
      kill() {
        life.ended = true
        listeners.delete(onStatus)
      }
    }
  }

  return {
    history,
    turns,
    asks,
    faults,
    takenBack,
    newId,
    live,
    fate: (...next: Fate[]) => void (fates = next),
    forgetTurns: () => turns.clear(),
    go(next: boolean) {
      online = next
      for (const listener of listeners) listener()
    },
    questions: async () => {
      const pages = await Promise.all(SESSIONS.map((sessionId) => history.page({ sessionId, limit: 500 })))
      return pages.flatMap(({ messages }) => messages.filter(({ role }) => role === 'user'))
    },
    answerOf: async (turnId: string) => {
      const pages = await Promise.all(SESSIONS.map((sessionId) => history.page({ sessionId, limit: 500 })))
      return pages.flatMap(({ messages }) => messages).find((message) => message.role === 'assistant' && message.turnId === turnId)
    }
  }
}
type World = Awaited<ReturnType<typeof createWorld>>
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)
const ask = async (world: World, desk: Desk, text: string, sessionId = 's0'): Promise<string> => {
  const turnId = world.newId()
  await desk.ask({ turnId, sessionId, text })
  return turnId
}

describe('the pump', () => {
  it('fetches what the service had taken in time, however old it is now, and asks before it sends what the service never had', async () => {
    const world = await createWorld()
    const { desk, pump } = world.live()
    world.fate({ cut: 0 }, { cut: -1 })
    const [taken, unheard] = [await ask(world, desk, 'taken'), await ask(world, desk, 'unheard', 's1')]
    await pass(10)
    world.go(false)
    await pass(2 * HOUR)
    world.go(true)
    await pass(MINUTE)
    expect(await world.history.outboxRow(taken)).toMatchObject({ state: 'settled' })
    expect(await world.answerOf(taken)).toMatchObject({ text: answerTo('taken') })
    expect(world.turns.has(unheard)).toBe(false)
    expect((await desk.waiting()).map(({ text, delivery }) => [text, delivery?.needsConfirmation])).toEqual([['unheard', true]])
    await pump.stop()
  })

  it('ends an answer clearly when the service has lost it, keeps what had arrived, and lets the next pass', async () => {
    const world = await createWorld()
    const { desk, pump } = world.live()
    world.fate({ cut: 3 })
    const half = await ask(world, desk, 'half')
    await pass(10)
    world.go(false)
    await pass(10)
    world.forgetTurns()
    const next = await ask(world, desk, 'next')
    world.go(true)
    await pass(MINUTE)
    expect(await world.answerOf(half)).toMatchObject({ text: 'You asked: half', answer: { state: 'failed', error: { code: 'not_found' } } })
    expect(await world.history.outboxRow(half)).toMatchObject({ state: 'failed', error: { code: 'not_found' } })
    expect(await world.history.outboxRow(next)).toMatchObject({ state: 'settled' })
    await pump.stop()
  })

  it('asks again after a moment, not in a circle, while the link cuts everything and calls itself online', async () => {
    const world = await createWorld()
    const { desk, pump } = world.live()
    world.fate(...Array.from({ length: 1_000 }, () => ({ cut: -1 })))
    await ask(world, desk, 'patience')
    await pass(MINUTE)
    expect(world.asks.count).toBeGreaterThan(10)
    expect(world.asks.count).toBeLessThan(60)
    await pump.stop()
  })

  it('tries a full disk again after a moment, without giving the question up', async () => {
    const world = await createWorld()
    const turnId = world.newId()
    let full = true
    let refusals = 0
    const refusing = async (): Promise<never> => {
      refusals += 1
      throw new CopilotError('unavailable', 'The disk is full.')
    }
    const inner = world.history.saveEvents
    Object.assign(world.history, { saveEvents: (...args: Parameters<History['saveEvents']>) => (full ? refusing() : inner(...args)) })
    const { desk, pump } = world.live()
    await desk.ask({ turnId, sessionId: 's0', text: 'room?' })
    await pass(2 * MINUTE)
    expect(refusals).toBeGreaterThan(20)
    expect(refusals).toBeLessThan(200)
    full = false
    await pass(MINUTE)
    expect(await world.answerOf(turnId)).toMatchObject({ text: answerTo('room?') })
    await pump.stop()
  })

  it('does not wait for years when the clock was wrong and is set back', async () => {
    const world = await createWorld()
    const { desk, pump } = world.live()
    vi.setSystemTime(1_900_000_000_000)
    world.fate({ refuse: 'rate_limited', retryAfterMs: 5_000 })
    const turnId = await ask(world, desk, 'when?')
    await pass(10)
    expect(await world.history.outboxRow(turnId)).toMatchObject({ state: 'waiting' })
    await desk.sendNow((await desk.waiting())[0]!.id)
    world.fate({ refuse: 'rate_limited', retryAfterMs: 5_000 })
    await pass(10)
    vi.setSystemTime(1_800_000_000_000)
    await pass(2 * MINUTE)
    expect(await world.history.outboxRow(turnId)).toMatchObject({ state: 'settled' })
    await pump.stop()
  })

  it('never sends a question that was taken back while it was about to be sent', async () => {
    for (let ticks = 0; ticks < 25; ticks += 1) {
      const world = await createWorld()
      const { desk, pump } = world.live()
      const turnId = world.newId()
      const { message } = await desk.ask({ turnId, sessionId: 's0', text: 'no, wait' })
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve()
      await desk.cancel(message.id)
      const hadIt = world.turns.has(turnId)
      await pass(MINUTE)
      expect(world.turns.has(turnId)).toBe(hadIt)
      expect(['cancelled', 'settled']).toContain((await world.history.outboxRow(turnId))?.state)
      await pump.stop()
    }
  })

  it.each(['waiting', 'failed', 'half'] as const)('takes a question that is %s out of the line', async (state) => {
    const world = await createWorld()
    const { desk, pump } = world.live()
    if (state === 'waiting') world.go(false)
    if (state === 'failed') world.fate({ refuse: 'refused' })
    if (state === 'half') world.fate({ cut: 2 }, { cut: -1 }, { cut: -1 })
    const turnId = await ask(world, desk, 'never mind')
    await pass(50)
    world.go(false)
    await pass(10_000)
    await desk.cancel((await desk.waiting())[0]!.id)
    expect(await desk.waiting()).toEqual([])
    world.go(true)
    await pass(MINUTE)
    expect(await world.history.outboxRow(turnId)).toMatchObject({ state: state === 'half' ? 'settled' : 'cancelled' })
    if (state === 'half') expect(await world.answerOf(turnId)).toMatchObject({ text: 'You asked: ', answer: { state: 'cancelled' } })
    await pump.stop()
  })
})

const fates: fc.Arbitrary<Fate> = fc.oneof(
  fc.constant('whole' as const),
  fc.record({ cut: fc.integer({ min: -1, max: 5 }) }),
  fc.record({ refuse: fc.constantFrom<ErrorCode>('unavailable', 'rate_limited', 'timeout'), retryAfterMs: fc.nat(90_000) }),
  fc.record({ refuse: fc.constantFrom<ErrorCode>('refused', 'invalid_request', 'budget_exhausted', 'forbidden', 'internal', 'unauthenticated') })
)
const steps = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ask' as const), session: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('fates' as const), fates: fc.array(fates, { maxLength: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('go' as const), online: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 5, 130, 2_000, 40_000, 10 * MINUTE, 90 * MINUTE) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clock' as const), by: fc.constantFrom(-90 * MINUTE, -5_000, 5_000, 90 * MINUTE) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'edit' as const, 'sendNow' as const), which: fc.nat(30), ticks: fc.nat(12) })
  }
)

/** What a person may be told when a question has moved on meanwhile. */
const isExpected = (error: unknown): void => {
  if (!(error instanceof CopilotError) || error.code !== 'conflict') throw error
}

describe('any schedule', () => {
  it('of cuts, kills, refusals, clocks and changes of mind keeps every question, its order, and its one answer', async () => {
    const reached = { resumed: 0, edited: 0, cancelled: 0, killed: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 50, size: 'max' }), async (schedule) => {
        const world = await createWorld()
        let desktop = world.live()
        let asked = 0
        for (const step of schedule) {
          if (step.do === 'ask') await ask(world, desktop.desk, `question ${++asked}`, SESSIONS[step.session])
          else if (step.do === 'fates') world.fate(...step.fates)
          else if (step.do === 'go') world.go(step.online)
          else if (step.do === 'pass') await pass(step.ms)
          else if (step.do === 'clock') {
            // Not between a decision and what follows from it at once.
            await pass(0)
            vi.setSystemTime(Date.now() + step.by)
          } else if (step.do === 'kill') {
            desktop.kill()
            desktop = world.live()
            reached.killed += 1
          } else {
            const questions = await world.questions()
            const chosen = questions[step.which % Math.max(1, questions.length)]
            for (let tick = 0; tick < step.ticks; tick += 1) await Promise.resolve()
            if (chosen?.turnId == null) continue
            const { desk } = desktop
            if (step.do === 'sendNow') await desk.sendNow(chosen.id).catch(isExpected)
            else if (step.do === 'cancel') {
              await desk.cancel(chosen.id)
              if (!world.turns.has(chosen.turnId)) world.takenBack.add(chosen.turnId)
              reached.cancelled += 1
            } else {
              const edited = await desk.edit(chosen.id, `${chosen.text} edited`).catch(isExpected)
              if (edited !== undefined && !world.turns.has(chosen.turnId)) world.takenBack.add(chosen.turnId)
              if (edited !== undefined) reached.edited += 1
            }
          }
        }
        world.fate()
        world.go(true)
        for (let round = 0; round < 30; round += 1) {
          await pass(2 * MINUTE)
          for (const { id, delivery } of await desktop.desk.waiting()) {
            if (delivery?.needsConfirmation || delivery?.state === 'failed') await desktop.desk.sendNow(id).catch(isExpected)
          }
        }
        expect(world.faults).toEqual([])
        const questions = await world.questions()
        expect(questions).toHaveLength(asked)
        for (const { turnId, text, delivery } of questions) {
          const answer = await world.answerOf(turnId!)
          if (delivery?.state === 'settled' && answer?.answer?.state === 'done') expect(answer.text).toBe(answerTo(text))
          else if (delivery?.state === 'settled') expect([undefined, 'cancelled']).toContain(answer?.answer?.state)
          else if (delivery?.state === 'failed') expect(answer?.answer?.state).toBe('failed')
          else expect(delivery?.state).toBe('cancelled')
          // Whatever ended, nothing looks as if it were still coming.
          expect(answer?.answer?.state).not.toBe('answering')
        }
        reached.resumed += world.asks.count - world.turns.size
        await desktop.pump.stop()
      }),
      { numRuns: 200 }
    )
    // It says something only if all of it happened.
    for (const count of Object.values(reached)) expect(count).toBeGreaterThan(50)
  }, 60_000)
})
