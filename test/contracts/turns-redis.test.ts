// Several processes of the service on one real Redis: each can resume, cancel and take up any turn, and none is lost or told twice.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openRedis } from '../../src/service/store/redis.ts'
import type { TurnBroker } from '../../src/service/turns/broker.ts'
import { reduceTurn, type Question, type TurnEvent } from '../../src/shared/turn.ts'
import { toldAgent } from '../fakes/service-agent.ts'
import { aQuestion, collect, never } from '../fakes/service-parts.ts'
import { startTurns, wordsAgent, wordsTo, type TurnProcess } from '../fakes/service-turns.ts'
import { hasRedisServer, startRedis, type RedisServer } from '../servers/redis.ts'

const anna = { userId: 'anna', role: 'user', expiresAt: null }
const bob = { userId: 'bob', role: 'user', expiresAt: null }

/** Listens until the end and remembers what came. */
function hear(broker: TurnBroker, question: Question, afterSeq = 0): { events: TurnEvent[]; ended: Promise<void> } {
  const events: TurnEvent[] = []
  const ended = (async () => {
    for await (const event of broker.ask(anna, question, { signal: never, afterSeq })) events.push(event)
  })()
  ended.catch(() => undefined)
  return { events, ended }
}

const textOf = (events: readonly TurnEvent[]): string => events.map((event) => (event.type === 'delta' ? event.text : '')).join('')
const isNumbered = (events: readonly TurnEvent[]): void => expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))

interface Victim extends AsyncDisposable {
  readonly process: ChildProcess
  ask(question: Question): Promise<void>
  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
}

async function startVictim(url: string): Promise<Victim> {
  const script = fileURLToPath(new URL('../fakes/service-turns-victim.ts', import.meta.url))
  const child = spawn(process.execPath, [script, url], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  expect((await lines.next()).value).toBe('ready')
  return {
    process: child,
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`)
      expect((await lines.next()).value).toBe(`open ${question.turnId}`)
    },
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve()
      child.kill('SIGKILL')
      await exited
    }
  }
}

describe.skipIf(!hasRedisServer)('several processes on one Redis', { timeout: 40_000 }, () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis({ durability: 'always' })
  })
  afterAll(() => server[Symbol.asyncDispose]())
  beforeEach(async () => {
    const redis = await openRedis({ url: server.url })
    await redis.run((client) => client.flushAll())
    await redis.stop()
  })

  it('tell Redis once of each turn that they let go of, however many end at once', async () => {
    await using process = await startTurns(server.url, wordsAgent())
    await process.redis.run((client) => client.configResetStat())
    const turns = 100
    await Promise.all(Array.from({ length: turns }, () => hear(process.broker, { ...aQuestion(), text: '1 words, 5 ms' }).ended))
    await process.stop()
    const redis = await openRedis({ url: server.url })
    const stats = await redis.run((client) => client.info('commandstats'))
    await redis.stop()
    const calls = (command: string): number => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1])
    // One look at the turn for the question, each append but the first, and the release; and some that were told again at the end.
    expect(calls('hmget')).toBeGreaterThanOrEqual(calls('xadd') + turns)
    expect(calls('hmget')).toBeLessThan(calls('xadd') + 3 * turns)
  })

  it('tell a turn live to whoever asks for it, from wherever they left off, byte for byte the same', async () => {
    const agent = toldAgent()
    await using one = await startTurns(server.url, agent)
    await using other = await startTurns(server.url, toldAgent())
    const question = aQuestion()
    const here = hear(one.broker, question)
    const answer = await agent.next()
    answer.say({ type: 'delta', text: 'Hello ' })
    await expect.poll(() => here.events.length).toBe(2)
    const there = [0, 1, 2].map((afterSeq) => hear(other.broker, question, afterSeq))
    // Live: the second word arrives while the answer goes on.
    await expect.poll(() => there[0]?.events.length).toBe(2)
    answer.say({ type: 'delta', text: '“wörld” \u{1F600}' })
    await expect.poll(() => there.map(({ events }) => events.length)).toEqual([3, 2, 1])
    answer.finish()
    await Promise.all([here, ...there].map(({ ended }) => ended))
    isNumbered(here.events)
    there.forEach(({ events }, afterSeq) => expect(JSON.stringify(events)).toBe(JSON.stringify(here.events.slice(afterSeq))))
    expect(await collect(other.broker.ask(anna, question, { signal: never, afterSeq: 4 }))).toEqual([])
    await expect(other.broker.open(bob, question)).rejects.toMatchObject({ code: 'not_found' })
    await expect(other.broker.open(anna, { ...question, text: 'Else' })).rejects.toMatchObject({ code: 'conflict' })
    expect([one.broker.liveTurns, other.broker.liveTurns]).toEqual([0, 0])
  })

  it('lose no event when the calls of Redis get lost, and stop an answer all the same', async () => {
    const agent = toldAgent()
    await using one = await startTurns(server.url, agent)
    await using other = await startTurns(server.url, toldAgent())
    const question = aQuestion()
    const there = hear(one.broker, question)
    const answer = await agent.next()
    const heard = hear(other.broker, question)
    await expect.poll(() => heard.events.length).toBe(1)
    for (let word = 1; word <= 3; word += 1) {
      // What is published until they are back is heard by nobody.
      expect(Number(await one.redis.run((client) => client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])))).toBeGreaterThan(0)
      answer.say({ type: 'delta', text: `${word} ` })
      await expect.poll(() => textOf(heard.events), { timeout: 5_000 }).toBe(wordsTo(word))
    }
    await one.redis.run((client) => client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']))
    expect(await other.broker.cancel(anna, question.turnId)).toBe(true)
    await Promise.all([there.ended, heard.ended])
    expect(heard.events).toEqual(there.events)
    isNumbered(heard.events)
  })

  it('answer a turn once that both are asked at the same moment', async () => {
    const agents = [toldAgent(), toldAgent()] as const
    await using one = await startTurns(server.url, agents[0])
    await using other = await startTurns(server.url, agents[1])
    const heard: { question: Question; here: ReturnType<typeof hear>; there: ReturnType<typeof hear> }[] = []
    for (let round = 0; round < 20; round += 1) {
      const question = aQuestion()
      heard.push({ question, here: hear(one.broker, question), there: hear(other.broker, question) })
    }
    await expect.poll(() => agents[0].begun.length + agents[1].begun.length).toBe(20)
    for (const answer of [...agents[0].begun, ...agents[1].begun]) {
      answer.say({ type: 'delta', text: 'once' })
      answer.finish()
    }
    for (const { here, there } of heard) {
      await Promise.all([here.ended, there.ended])
      expect(there.events).toEqual(here.events)
      expect(textOf(here.events)).toBe('once')
    }
    expect(agents[0].begun.length + agents[1].begun.length).toBe(20)
  })

  it('cancel a turn from the other side, and end all of a person everywhere', async () => {
    const agent = toldAgent()
    await using one = await startTurns(server.url, agent)
    await using other = await startTurns(server.url, toldAgent())
    const questions = [aQuestion(), aQuestion(), aQuestion()]
    const heard = questions.map((question) => hear(one.broker, question))
    await expect.poll(() => agent.begun.length).toBe(3)
    const cancelled = questions[0]!
    expect(await other.broker.cancel(bob, cancelled.turnId)).toBe(false)
    expect(await other.broker.cancel(anna, cancelled.turnId)).toBe(true)
    await heard[0]?.ended
    expect(reduceTurn(heard[0]?.events ?? [])).toMatchObject({ state: 'cancelled' })
    expect(agent.begun.find(({ turn }) => turn.turnId === cancelled.turnId)?.signal.aborted).toBe(true)
    expect(await other.broker.cancel(anna, cancelled.turnId)).toBe(false)
    await other.broker.endAllOf('anna')
    await Promise.all(heard.map(({ ended }) => ended))
    expect(agent.begun.every(({ signal }) => signal.aborted)).toBe(true)
    expect(one.broker.liveTurns).toBe(0)
    expect(await one.log.unfinished()).toEqual([])
  })

  it('give a person’s turns out and erase them, wherever they were answered', async () => {
    await using one = await startTurns(server.url, wordsAgent())
    await using other = await startTurns(server.url, wordsAgent())
    const question = aQuestion({ text: '3 words, 0 ms' })
    await hear(one.broker, question).ended
    const [kept] = (await other.personal[0]!.read('anna')) as Iterable<{ turnId: string; question: Question; endedAt: number; events: TurnEvent[] }>
    expect(kept).toMatchObject({ turnId: question.turnId, question, endedAt: expect.any(Number) })
    expect(textOf(kept?.events ?? [])).toBe(wordsTo(3))
    expect(await other.personal[0]!.erase('bob')).toBe(0)
    expect(await other.personal[0]!.erase('anna')).toBe(1)
    await expect(one.broker.open(anna, question, { resuming: true })).rejects.toMatchObject({ code: 'not_found' })
    expect(await Array.fromAsync(await other.personal[0]!.read('anna'))).toEqual([])
  })

  it('don’t take what lives elsewhere when they start', async () => {
    const agent = toldAgent()
    await using one = await startTurns(server.url, agent)
    const question = aQuestion()
    const heard = hear(one.broker, question)
    const answer = await agent.next()
    const newcomer = toldAgent()
    await using other = await startTurns(server.url, newcomer)
    // Longer than a lease: it is renewed.
    await new Promise((resolve) => setTimeout(resolve, 2_200))
    expect(await other.broker.revive()).toEqual({ restarted: 0, ended: 0 })
    answer.say({ type: 'delta', text: 'mine' })
    answer.finish()
    await heard.ended
    expect(newcomer.begun).toEqual([])
    expect(reduceTurn(heard.events)).toMatchObject({ state: 'done', text: 'mine', notices: [] })
  })

  it('hand over when one stops: at once what nobody has read a word of, the rest when its time is over', async () => {
    const [agent, next] = [toldAgent(), toldAgent()]
    const one = await startTurns(server.url, agent)
    await using other = await startTurns(server.url, next)
    const [silent, begun] = [aQuestion({ text: 'silent' }), aQuestion({ text: 'begun' })]
    const heard = [hear(one.broker, silent), hear(one.broker, begun)]
    await expect.poll(() => agent.begun.length).toBe(2)
    agent.begun.find(({ turn }) => turn.turnId === begun.turnId)?.say({ type: 'delta', text: 'half' })
    await expect.poll(() => textOf(heard[1]?.events ?? [])).toBe('half')
    const listening = [hear(other.broker, silent), hear(other.broker, begun)]
    const stoppedAt = performance.now()
    const stopped = one.stop(600)
    await expect.poll(() => next.begun.map(({ turn }) => turn.turnId)).toEqual([silent.turnId])
    expect(performance.now() - stoppedAt).toBeLessThan(500)
    await expect(heard[0]?.ended).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 1_000 })
    await stopped
    await expect.poll(() => next.begun.length).toBe(2)
    for (const answer of next.begun) {
      answer.say({ type: 'delta', text: 'half and whole' })
      answer.finish()
    }
    for (const { ended, events } of listening) {
      await ended
      isNumbered(events)
      expect(reduceTurn(events)).toMatchObject({ state: 'done', text: 'half and whole', notices: [{ kind: 'resumed' }] })
    }
  })

  it('take up what a killed process left, before its text and in the midst of it, each once', async () => {
    await using victim = await startVictim(server.url)
    const agents = [wordsAgent(), wordsAgent()] as const
    const begun: string[] = []
    const counted = agents.map((agent) => ({
      ...agent,
      answer: (...asked: Parameters<typeof agent.answer>) => {
        begun.push(asked[0].turnId)
        return agent.answer(...asked)
      }
    }))
    await using one = await startTurns(server.url, counted[0]!)
    await using other = await startTurns(server.url, counted[1]!)
    const [before, amidst] = [aQuestion({ text: '5 words, 60000 ms' }), aQuestion({ text: '400 words, 5 ms' })]
    for (const question of [before, amidst]) await victim.ask(question)
    const heard = [hear(one.broker, amidst), hear(other.broker, amidst)]
    const silent = [hear(one.broker, before), hear(other.broker, before)]
    await expect.poll(() => heard.map(({ events }) => textOf(events).length > 20)).toEqual([true, true])
    expect(begun).toEqual([])
    victim.kill('SIGKILL')
    const killedAt = performance.now()
    await expect.poll(() => begun.length, { timeout: 10_000 }).toBe(2)
    // One lease and one look around, and what a busy machine adds.
    expect(performance.now() - killedAt).toBeLessThan(5_000)
    for (const { ended, events } of heard) {
      await ended
      isNumbered(events)
      expect(textOf(events)).toBe(wordsTo(400))
      expect(reduceTurn(events)).toMatchObject({ state: 'done', notices: [{ kind: 'resumed' }] })
    }
    expect(heard[0]?.events).toEqual(heard[1]?.events)
    for (const { events } of silent) expect(events.at(-1)).toMatchObject({ type: 'status' })
    expect(await one.broker.cancel(anna, before.turnId)).toBe(true)
    for (const { ended, events } of silent) {
      await ended
      expect(reduceTurn(events)).toMatchObject({ state: 'cancelled', text: '' })
    }
    expect(begun.toSorted()).toEqual([before.turnId, amidst.turnId].toSorted())
  })

  it('fence off an owner that stood still and comes back', async () => {
    await using victim = await startVictim(server.url)
    await using one = await startTurns(server.url, wordsAgent())
    const question = aQuestion({ text: '300 words, 10 ms' })
    await victim.ask(question)
    const heard = hear(one.broker, question)
    await expect.poll(() => textOf(heard.events).length).toBeGreaterThan(10)
    victim.kill('SIGSTOP')
    await expect.poll(() => heard.events.some(({ type }) => type === 'notice'), { timeout: 10_000 }).toBe(true)
    // It goes on with the same answer, and would write the same numbers.
    victim.kill('SIGCONT')
    await heard.ended
    isNumbered(heard.events)
    expect(textOf(heard.events)).toBe(wordsTo(300))
    expect(heard.events.filter(({ type }) => type === 'notice')).toHaveLength(1)
    expect(await one.log.read(question.turnId, 0)).toEqual(heard.events)
    // It is fit for others: only that turn was taken from it.
    const another = aQuestion({ text: '2 words, 0 ms' })
    await victim.ask(another)
    expect(textOf(await collect(one.broker.ask(anna, another, { signal: never })))).toBe(wordsTo(2))
  })

  it('lose, double or disorder nothing of 200 turns that are resumed at random on both', async () => {
    await using one = await startTurns(server.url, wordsAgent())
    await using other = await startTurns(server.url, wordsAgent())
    const both: readonly TurnProcess[] = [one, other]
    /** One client: asks, leaves after some events, and comes back somewhere with what it has. */
    const client = async (question: Question): Promise<TurnEvent[]> => {
      const events: TurnEvent[] = []
      while (events.at(-1)?.type !== 'done') {
        const { broker } = both[Math.random() < 0.5 ? 0 : 1]!
        let patience = 1 + Math.floor(Math.random() * 12)
        for await (const event of broker.ask(anna, question, { signal: never, afterSeq: events.length })) {
          events.push(event)
          if (--patience === 0) break
        }
      }
      return events
    }
    const questions = Array.from({ length: 200 }, () => aQuestion({ text: '40 words, 4 ms' }))
    const told = await Promise.all(questions.map(client))
    for (const [index, events] of told.entries()) {
      isNumbered(events)
      expect(textOf(events)).toBe(wordsTo(40))
      expect(await one.log.read(questions[index]!.turnId, 0)).toEqual(events)
    }
    expect(await one.log.unfinished()).toEqual([])
    expect(both.map(({ broker }) => broker.liveTurns)).toEqual([0, 0])
  })
})

describe.skipIf(!hasRedisServer)('several processes on a Redis that starts again', { timeout: 40_000 }, () => {
  it('go on with every answer where it was, and take none from each other', async () => {
    await using server = await startRedis({ durability: 'always' })
    await using one = await startTurns(server.url, wordsAgent(), { patienceMs: 20_000 })
    await using other = await startTurns(server.url, wordsAgent(), { patienceMs: 20_000 })
    const questions = Array.from({ length: 10 }, () => aQuestion({ text: '100 words, 10 ms' }))
    const here = questions.map((question) => hear(one.broker, question))
    await expect.poll(() => here.every(({ events }) => textOf(events).length > 0)).toBe(true)
    const there = questions.map((question) => hear(other.broker, question))
    await expect.poll(() => there.every(({ events }) => textOf(events).length > 0)).toBe(true)
    await server.kill()
    await expect(other.broker.open(anna, aQuestion())).rejects.toMatchObject({ code: 'unavailable' })
    // Longer than a lease, so that none is left when it is back.
    await new Promise((resolve) => setTimeout(resolve, 1_800))
    await server.start()
    await Promise.all([...here, ...there].map(({ ended }) => ended))
    for (const [index, { events }] of here.entries()) {
      isNumbered(events)
      expect(reduceTurn(events)).toMatchObject({ state: 'done', text: wordsTo(100), notices: [] })
      expect(there[index]?.events).toEqual(events)
    }
  })

  it('take an answer up again that had to be given up when Redis was away for too long', async () => {
    await using server = await startRedis({ durability: 'always' })
    await using one = await startTurns(server.url, wordsAgent(), { patienceMs: 300 })
    const question = aQuestion({ text: '200 words, 10 ms' })
    const heard = hear(one.broker, question)
    await expect.poll(() => textOf(heard.events).length).toBeGreaterThan(0)
    await server.kill()
    await expect(heard.ended).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 1_000 })
    await server.start()
    const kept = (): Promise<readonly TurnEvent[]> => one.log.read(question.turnId, 0).catch(() => [])
    await expect.poll(async () => (await kept()).some(({ type }) => type === 'notice'), { timeout: 10_000 }).toBe(true)
    const rest = hear(one.broker, question, heard.events.length)
    await rest.ended
    const events = [...heard.events, ...rest.events]
    isNumbered(events)
    expect(textOf(events)).toBe(wordsTo(200))
  })
})
