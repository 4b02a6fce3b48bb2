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
    const round = createChatRound(async () => 'stop', async (chats) => ((rounds += 1), await through(chats)), () => now) // prettier-ignore
    const join = (turnId: string): Promise<FinishReason> => round.join(turn(turnId), asked)
    await join('a')
    expect(rounds).toBe(1)
    const [second, third] = [join('b'), join('c')]
    await new Promise((resolve) => setImmediate(resolve))
    expect(rounds).toBe(1)
    await Promise.all([second, third])
    expect(rounds).toBe(2)
    now = 1_000
    const alone = join('d')
    await new Promise((resolve) => setImmediate(resolve))
    expect(rounds).toBe(3)
    await alone
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
