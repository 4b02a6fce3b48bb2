// Cached answers in this process's memory: the least used go first, all of them after their time.
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../shared/kit/clock.ts'
import type { AnswerCache, CachedAnswer } from './answerCache.ts'

export interface MemoryCacheOptions {
  readonly ttlMs: number
  readonly clock: Clock
  /** Characters of all answers together. */
  readonly mostCharacters?: number
}

const MOST_CHARACTERS = 16_000_000
/** Sessions whose context is remembered. */
const MOST_CONTEXTS = 10_000

export function createMemoryAnswerCache({ ttlMs, clock, mostCharacters = MOST_CHARACTERS }: MemoryCacheOptions): AnswerCache {
  /** Keys of each user, oldest first. */
  const keys = new Map<string, Set<string>>()
  const answers = new LRUCache<string, { readonly userId: string; readonly answer: CachedAnswer }>({
    ttl: ttlMs,
    maxSize: mostCharacters,
    sizeCalculation: ({ answer }) => answer.text.length + answer.question.length + 1_000,
    ttlResolution: 0,
    perf: { now: () => clock.now() },
    dispose({ userId }, key, reason) {
      if (reason === 'set') return
      const own = keys.get(userId)
      own?.delete(key)
      if (own?.size === 0) keys.delete(userId)
    }
  })
  const keyOf = (userId: string, hash: string): string => `ai_response:${userId}:${hash}`

  const contexts = new Map<string, string>()
  const drop = (userId: string): void => {
    for (const key of keys.get(userId) ?? []) answers.delete(key)
  }

  return {
    async noteContext(userId, sessionId, hash) {
      const key = `${userId}\n${sessionId}`
      const last = contexts.get(key)
      if (last === hash) return
      if (contexts.size >= MOST_CONTEXTS) contexts.clear()
      contexts.set(key, hash)
      if (last !== undefined) drop(userId)
    },
    get: async (userId, hash) => answers.get(keyOf(userId, hash))?.answer ?? null,
    async set(userId, hash, answer) {
      const key = keyOf(userId, hash)
      answers.set(key, { userId, answer })
      // One that is larger than everything allowed is not kept.
      if (!answers.has(key)) return
      const own = keys.get(userId) ?? new Set<string>()
      keys.set(userId, own)
      own.delete(key)
      own.add(key)
    },
    async inScope(userId, scope) {
      const own = [...(keys.get(userId) ?? [])].toReversed()
      return own.map((key) => answers.get(key)?.answer).filter((answer) => answer?.scope === scope) as CachedAnswer[]
    },
    drop: async (userId) => drop(userId)
  }
}
