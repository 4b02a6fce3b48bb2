// The orchestrator with a memory for its own answers: what a user has asked a moment ago in the same words and the same context is
// given again, says so, and costs nothing.
import type { AnswerCache, CachedAnswer } from '../cache/answerCache.ts'
import { answerHash, contextHash, likeness, scopeHash, wordsOf, type KeyParts } from '../cache/answerKey.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { AnswerOptions, Orchestrator, Outcome } from './orchestrator.ts'
import type { OnSignal } from './signals.ts'
import type { ProviderRequest } from '../providers/provider.ts'

export interface CachedOptions {
  readonly cache: AnswerCache
  readonly clock: Clock
  readonly onSignal?: OnSignal
}

/** A question in other words is the same from this likeness on, where the caller asked for that. */
export const ALIKE = 0.8

export function cached(orchestrator: Orchestrator, { cache, clock, onSignal }: CachedOptions): Orchestrator {
  const find = async (
    userId: string,
    hash: string,
    parts: KeyParts,
    mode: 'exact' | 'similar'
  ): Promise<{ answer: CachedAnswer; isSame: boolean } | null> => {
    const same = await cache.get(userId, hash)
    if (same !== null) return { answer: same, isSame: true }
    if (mode === 'exact') return null
    const words = wordsOf(parts.request.question)
    const alike = (await cache.inScope(userId, scopeHash(parts))).find((answer) => likeness(words, wordsOf(answer.question)) >= ALIKE)
    return alike === undefined ? null : { answer: alike, isSame: false }
  }

  const give = ({ answer, isSame }: { answer: CachedAnswer; isSame: boolean }, { emit }: AnswerOptions, startedAt: number): Outcome => {
    const how = isSame ? 'the same question' : 'a similar question'
    emit({ type: 'notice', kind: 'cached', text: `You asked ${how} a moment ago: this is the answer of then. It costs nothing.` })
    const firstTextMs = clock.now() - startedAt
    emit({ type: 'delta', text: answer.text })
    const { provider, model, finish, inputTokens } = answer
    const usage = { provider, model, inputTokens, cachedTokens: inputTokens, outputTokens: 0, costMicros: 0, failovers: 0 }
    return { finish, usage: { ...usage, firstTextMs, totalMs: clock.now() - startedAt } }
  }

  const answer = async (request: ProviderRequest, options: AnswerOptions): Promise<Outcome> => {
    const { asker, reuse } = options
    // Without a user there is nobody whose answer it could be; the built-in knowledge is quicker than a look.
    if (asker === undefined || asker.userId === '' || reuse === undefined) return await orchestrator.answer(request, options)
    const startedAt = clock.now()
    const parts = { client: asker.client, request, context: reuse.context }
    await cache.noteContext(asker.userId, reuse.sessionId, contextHash(asker.client, reuse.context))
    const hash = answerHash(parts)
    const found = reuse.mode === 'none' ? null : await find(asker.userId, hash, parts, reuse.mode)
    onSignal?.({ type: 'cache', hit: found !== null })
    if (found !== null) return give(found, options, startedAt)
    let text = ''
    const outcome = await orchestrator.answer(request, {
      ...options,
      emit(event) {
        if (event.type === 'delta') text += event.text
        options.emit(event)
      }
    })
    const { finish, usage } = outcome
    if (finish === 'stop' && usage.failovers === 0 && usage.provider !== 'local') {
      const { provider, model, inputTokens } = usage
      const kept = { text, finish, provider, model, inputTokens, question: request.question, scope: scopeHash(parts) }
      await cache.set(asker.userId, hash, kept)
    }
    return outcome
  }

  return {
    answer,
    status: (signal) => orchestrator.status(signal),
    get queueDepth() {
      return orchestrator.queueDepth
    },
    stop: () => orchestrator.stop()
  }
}
