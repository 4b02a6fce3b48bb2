import { describe, expect, test } from 'vitest'
import { correlated, correlationId } from '../correlation.ts'
import type { FinishReason } from '../../shared/turn.ts'
import type { AgentTurn, AnswerOptions } from './agent.ts'
import { createChatRound, type Chat } from './chatRound.ts'

const turn = (turnId: string): AgentTurn => ({
  turnId,
  userId: 'u',
  messageId: `m-${turnId}`,
  question: { turnId, sessionId: 's', text: 'why?', context: {} },
  createdAt: 1
})
const asked: AnswerOptions = { signal: new AbortController().signal, emit: () => undefined }

/** The way through the graph, as its node is. */
async function through(chats: readonly Chat[]): Promise<void> {
  await Promise.all(chats.map((chat) => chat.answer()))
}

function rounds(answer: (one: AgentTurn) => Promise<FinishReason>, way = through) {
  const sizes: number[] = []
  const round = createChatRound(answer, async (chats) => {
    sizes.push(chats.length)
    await way(chats)
  })
  return { sizes, join: (turnId: string) => round.join(turn(turnId), asked) }
}

describe('a round of chats', () => {
  test('carries all that came in one tick, and later ones in a round of their own', async () => {
    const { join, sizes } = rounds(async () => 'stop')
    expect(await Promise.all([join('a'), join('b'), join('c')])).toEqual(['stop', 'stop', 'stop'])
    await join('d')
    expect(sizes).toEqual([3, 1])
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

  test('keeps a pace while much is asked, and none for who asks alone', async () => {
    let now = 0
    let rounds = 0
    const long = Promise.withResolvers<FinishReason>()
    const answer = (one: AgentTurn): Promise<FinishReason> => (one.turnId === 'long' ? long.promise : Promise.resolve('stop'))
    const run = async (chats: readonly Chat[]): Promise<void> => {
      rounds += 1
      await through(chats)
    }
    const round = createChatRound(answer, run, () => now)
    const join = (turnId: string): Promise<FinishReason> => round.join(turn(turnId), asked)
    const tick = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
    // One after the other, each alone.
    await join('a')
    const alone = join('b')
    await tick()
    expect(rounds).toBe(2)
    await alone
    now = 1_000
    const first = join('long')
    await tick()
    const others = [join('c'), join('d')]
    await tick()
    expect(rounds).toBe(3)
    await Promise.all(others)
    expect(rounds).toBe(4)
    now = 2_000
    const later = join('e')
    await tick()
    expect(rounds).toBe(5)
    await later
    long.resolve('stop')
    await first
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
    await Promise.all(['a', 'b'].map((id) => correlated(`of-${id}`, () => join(id))))
    expect(seen).toEqual({ a: ['of-a', 'of-a'], b: ['of-b', 'of-b'] })
  })

  test('fails every chat that has not ended when the graph itself fails', async () => {
    const { join } = rounds(
      async () => 'stop',
      async (chats) => {
        await chats[0]?.answer()
        throw new Error('the graph broke')
      }
    )
    const [first, second] = await Promise.allSettled([join('a'), join('b')])
    expect(first).toMatchObject({ status: 'fulfilled', value: 'stop' })
    expect(second).toMatchObject({ status: 'rejected', reason: new Error('the graph broke') })
  })
})
