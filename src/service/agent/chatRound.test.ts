import { describe, expect, test } from 'vitest'
import { correlated, correlationId } from '../correlation.ts'
import type { FinishReason } from '../../shared/turn.ts'
import type { AgentTurn, AnswerOptions } from './agent.ts'
import { createChatRound, type Chat, type ChatSteps } from './chatRound.ts'

const turn = (turnId: string): AgentTurn => ({
  turnId,
  userId: 'u',
  messageId: `m-${turnId}`,
  question: { turnId, sessionId: 's', text: 'why?', context: {} },
  createdAt: 1
})
const asked: AnswerOptions = { signal: new AbortController().signal, emit: () => undefined }

/** The way through the graph, as its two nodes are. */
async function twoNodes(chats: readonly Chat[]): Promise<void> {
  for (const chat of chats) chat.prepare()
  await Promise.resolve()
  await Promise.all(chats.map((chat) => chat.answer()))
}

function rounds(steps: Partial<ChatSteps<AgentTurn>>, way = twoNodes) {
  const sizes: number[] = []
  const round = createChatRound<AgentTurn>({ prepare: async (one) => one, answer: async () => 'stop', ...steps }, async (chats) => {
    sizes.push(chats.length)
    await way(chats)
  })
  return { sizes, join: (turnId: string) => round.join(turn(turnId), asked) }
}

describe('a round of chats', () => {
  test('carries all that came in one tick, and later ones in a round of their own', async () => {
    const { join, sizes } = rounds({})
    expect(await Promise.all([join('a'), join('b'), join('c')])).toEqual(['stop', 'stop', 'stop'])
    await join('d')
    expect(sizes).toEqual([3, 1])
  })

  test('gives each chat its own end: who is quick does not wait, and who fails takes no other down', async () => {
    const slow = Promise.withResolvers<FinishReason>()
    const { join } = rounds({
      prepare: async (one) => {
        if (one.turnId === 'unprepared') throw new Error('nothing was found')
        return one
      },
      answer: async (one) => {
        if (one.turnId === 'broken') throw new Error('nobody could answer')
        return one.turnId === 'slow' ? await slow.promise : 'length'
      }
    })
    const ends = ['slow', 'unprepared', 'broken', 'quick'].map(join)
    await expect(ends[1]).rejects.toThrow('nothing was found')
    await expect(ends[2]).rejects.toThrow('nobody could answer')
    expect(await ends[3]).toBe('length')
    slow.resolve('stop')
    expect(await ends[0]).toBe('stop')
  })

  test('prepares no chat in the time of another: one that has much to look up is overtaken', async () => {
    const found = Promise.withResolvers<void>()
    const answered: string[] = []
    const { join } = rounds({
      prepare: async (one) => {
        if (one.turnId === 'thorough') await found.promise
        return one
      },
      answer: async (one) => {
        answered.push(one.turnId)
        return 'stop'
      }
    })
    const [thorough, plain] = [join('thorough'), join('plain')]
    await plain
    expect(answered).toEqual(['plain'])
    found.resolve()
    await thorough
  })

  test('does each chat’s work under its own correlation id, whoever came first', async () => {
    const seen: Record<string, (string | undefined)[]> = {}
    const note = (turnId: string): void => void (seen[turnId] ??= []).push(correlationId())
    const { join } = rounds({
      prepare: async (one) => {
        note(one.turnId)
        return one
      },
      answer: async (one) => {
        await Promise.resolve()
        note(one.turnId)
        return 'stop'
      }
    })
    await Promise.all(['a', 'b'].map((id) => correlated(`of-${id}`, () => join(id))))
    expect(seen).toEqual({ a: ['of-a', 'of-a'], b: ['of-b', 'of-b'] })
  })

  test('fails every chat that has not ended when the graph itself fails', async () => {
    const { join } = rounds({}, async (chats) => {
      chats[0]?.prepare()
      await chats[0]?.answer()
      throw new Error('the graph broke')
    })
    const [first, second] = await Promise.allSettled([join('a'), join('b')])
    expect(first).toMatchObject({ status: 'fulfilled', value: 'stop' })
    expect(second).toMatchObject({ status: 'rejected', reason: new Error('the graph broke') })
  })
})
