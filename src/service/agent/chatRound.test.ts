import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { correlated, correlationId } from '../correlation.ts'
import type { FinishReason } from '../../shared/turn.ts'
import type { AgentTurn, AnswerOptions } from './agent.ts'
import { createChatRounds, type ChatRound } from './chatRound.ts'

const turn = (turnId: string): AgentTurn => ({
  turnId,
  userId: 'u',
  messageId: `m-${turnId}`,
  question: { turnId, sessionId: 's', text: 'why?', context: {} },
  createdAt: 1
})
const asked: AnswerOptions = { signal: new AbortController().signal, emit: () => undefined }

const OPEN_MS = 50
const tick = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** Rounds whose way through the graph is its node and nothing else; `runs` tells how many have begun and ended. */
function rounds(answer: (one: AgentTurn) => Promise<FinishReason>, way = (round: ChatRound) => round.serve(answer)) {
  const runs = { begun: 0, ended: 0 }
  let now = 0
  const run = async (round: ChatRound): Promise<void> => {
    runs.begun += 1
    await way(round)
    runs.ended += 1
  }
  // Time goes on by a second whenever somebody looks, so that nobody is held to a pace.
  const { join } = createChatRounds(run, { openMs: OPEN_MS, monotonic: () => (now += 1_000) })
  return { runs, join: (turnId: string) => join(turn(turnId), asked) }
}

describe('a round of chats', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  test('carries all that come while it is open, and later ones in a round of their own', async () => {
    const { join, runs } = rounds(async () => 'stop')
    expect(await Promise.all([join('a'), join('b')])).toEqual(['stop', 'stop'])
    await vi.advanceTimersByTimeAsync(OPEN_MS - 1)
    expect(await join('c')).toBe('stop')
    expect(runs).toEqual({ begun: 1, ended: 0 })
    await vi.advanceTimersByTimeAsync(1)
    expect(runs).toEqual({ begun: 1, ended: 1 })
    expect(await join('d')).toBe('stop')
    expect(runs.begun).toBe(2)
  })

  test('has chats start together while much is asked, and lets one that is alone wait for nothing', async () => {
    let now = 1_000
    const started: string[] = []
    const long = Promise.withResolvers<FinishReason>()
    const { join } = createChatRounds(
      (round) =>
        round.serve(async ({ turnId }) => {
          started.push(turnId)
          return turnId === 'long' ? await long.promise : 'stop'
        }),
      { monotonic: () => now }
    )
    const ask = (turnId: string): Promise<FinishReason> => join(turn(turnId), asked)
    // One after the other, each alone.
    await ask('a')
    await ask('b')
    now += 1
    const first = ask('long')
    await tick()
    // Two are under way when the first of these comes: a quarter of a millisecond after the last start.
    const others = [ask('c'), ask('d')]
    await tick()
    expect(started).toEqual(['a', 'b', 'long'])
    vi.advanceTimersByTime(1)
    expect(await Promise.all(others)).toEqual(['stop', 'stop'])
    expect(started).toEqual(['a', 'b', 'long', 'c', 'd'])
    now += 1
    await ask('e')
    long.resolve('stop')
    await first
  })

  test('stays with its last chat, while others go in the next one', async () => {
    const slow = Promise.withResolvers<FinishReason>()
    const { join, runs } = rounds(async ({ turnId }) => (turnId === 'slow' ? await slow.promise : 'stop'))
    const end = join('slow')
    await tick()
    await vi.advanceTimersByTimeAsync(OPEN_MS)
    expect(await join('next')).toBe('stop')
    await vi.advanceTimersByTimeAsync(OPEN_MS)
    expect(runs).toEqual({ begun: 2, ended: 1 })
    slow.resolve('stop')
    expect(await end).toBe('stop')
    await vi.advanceTimersByTimeAsync(0)
    expect(runs).toEqual({ begun: 2, ended: 2 })
  })

  test('gives each chat its own end: who is quick does not wait, and who fails takes no other down', async () => {
    const slow = Promise.withResolvers<FinishReason>()
    const { join } = rounds(async (one) => {
      if (one.turnId === 'broken') throw new Error('nobody could answer')
      return one.turnId === 'slow' ? await slow.promise : 'length'
    })
    const ends = ['slow', 'broken', 'quick'].map(join)
    await expect(ends[1]).rejects.toThrow('nobody could answer')
    expect(await ends[2]).toBe('length')
    slow.resolve('stop')
    expect(await ends[0]).toBe('stop')
  })

  test('does each chat’s work under its own correlation id, whoever came first', async () => {
    const seen: Record<string, (string | undefined)[]> = {}
    const note = (turnId: string): void => void (seen[turnId] ??= []).push(correlationId())
    const { join } = rounds(async (one) => {
      note(one.turnId)
      await Promise.resolve()
      note(one.turnId)
      return 'stop'
    })
    const of = (id: string): Promise<FinishReason> => correlated(`of-${id}`, () => join(id))
    await Promise.all(['a', 'b'].map(of))
    await of('c')
    expect(seen).toEqual({ a: ['of-a', 'of-a'], b: ['of-b', 'of-b'], c: ['of-c', 'of-c'] })
  })

  test('fails every chat that has not ended when the graph itself fails, and begins anew', async () => {
    const broken = Promise.withResolvers<void>()
    const answer = async ({ turnId }: AgentTurn): Promise<FinishReason> => (turnId === 'never' ? await new Promise(() => undefined) : 'stop')
    let isBroken = true
    const { join, runs } = rounds(answer, async (round) => {
      const serving = round.serve(answer)
      if (isBroken) await broken.promise
      await serving
    })
    expect(await join('a')).toBe('stop')
    const left = expect(join('never')).rejects.toThrow('the graph broke')
    await tick()
    broken.reject(new Error('the graph broke'))
    await left
    isBroken = false
    expect(await join('b')).toBe('stop')
    expect(runs).toEqual({ begun: 2, ended: 0 })
  })

  test('fails a chat that its run left behind: before the node, or without waiting for it', async () => {
    const never = async (): Promise<FinishReason> => await new Promise(() => undefined)
    await expect(rounds(never, () => Promise.reject(new Error('no graph'))).join('a')).rejects.toThrow('no graph')
    await expect(rounds(never, () => Promise.resolve()).join('a')).rejects.toThrow('ended before its chats')
  })
})
