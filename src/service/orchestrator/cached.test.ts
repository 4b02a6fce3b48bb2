// What is given again, to whom, and until when; and that it costs nothing.
import { describe, expect, it } from 'vitest'
import { aRequest } from '../../../test/contracts/provider.ts'
import { anna, orchestra, scripted, stop, text, used, type Step } from '../../../test/fakes/service-orchestra.ts'
import { fakeClock, never } from '../../../test/fakes/service-parts.ts'
import { createMemoryAnswerCache } from '../cache/answerCache.memory.ts'
import { likeness, wordsOf } from '../cache/answerKey.ts'
import { createLocalKnowledge } from '../providers/localKnowledge.ts'
import type { Provider, ProviderRequest } from '../providers/provider.ts'
import { cached } from './cached.ts'
import type { OrchestratorEvent, Reuse } from './orchestrator.ts'

const TTL_MS = 300_000
const answer: Step[] = [text('The answer.'), used(10, 5), stop]

function house(provider: Provider = scripted('a', [answer])) {
  const clock = fakeClock()
  const inner = orchestra({ providers: [provider], clock })
  const orchestrator = cached(inner.orchestrator, { cache: createMemoryAnswerCache({ ttlMs: TTL_MS, clock }), clock })
  const ask = async (
    question = 'What is Harbor?',
    part: { userId?: string; client?: string; request?: Partial<ProviderRequest>; reuse?: Partial<Reuse> } = {}
  ) => {
    const events: OrchestratorEvent[] = []
    const prompt = [{ role: 'user', content: question }] as const
    const { client = anna.client, userId = anna.userId } = part
    const outcome = await orchestrator.answer(
      { ...aRequest, question, prompt, ...part.request },
      {
        signal: never,
        emit: (event) => void events.push(event),
        asker: { ...anna, userId, client },
        reuse: { sessionId: 's', context: { client_name: client }, mode: 'exact', ...part.reuse }
      }
    )
    return { outcome, events, isCached: events.some((event) => event.type === 'notice' && event.kind === 'cached') }
  }
  return { clock, inner, ask }
}

describe('cached', () => {
  it('gives the same question its answer again, says so, and charges nothing', async () => {
    const { ask, inner } = house()
    expect((await ask()).isCached).toBe(false)
    const { outcome, events } = await ask()
    expect(events).toEqual([
      { type: 'notice', kind: 'cached', text: expect.stringContaining('costs nothing') },
      { type: 'delta', text: 'The answer.' }
    ])
    expect(outcome).toMatchObject({
      finish: 'stop',
      usage: { provider: 'a', model: 'a-1', costMicros: 0, inputTokens: 10, cachedTokens: 10, outputTokens: 0 }
    })
    expect(await inner.ledger.total()).toMatchObject({ rows: 1 })
  })

  it('for five minutes', async () => {
    const { ask, clock } = house()
    await ask()
    clock.set(clock.now() + TTL_MS - 1)
    expect((await ask()).isCached).toBe(true)
    clock.set(clock.now() + 2)
    expect((await ask()).isCached).toBe(false)
  })

  it.each([
    ['another user', { userId: 'bob' }],
    ['another client', { client: 'Quay' }],
    ['another context', { reuse: { context: { client_name: 'Harbor', project: 'new' } } }],
    ['another quick action', { request: { quickAction: 'clarify' as const } }],
    ['another conversation', { request: { prompt: [{ role: 'user' as const, content: 'Earlier' }] } }],
    ['somebody who wants it anew', { reuse: { mode: 'none' as const } }]
  ])('but not to %s', async (_what, part) => {
    const { ask } = house()
    await ask()
    expect((await ask(undefined, part)).isCached).toBe(false)
  })

  it('forgets everything of a user whose context has changed, and nothing of others', async () => {
    const { ask } = house()
    await ask()
    await ask(undefined, { userId: 'bob' })
    await ask('Something else?', { reuse: { context: { project: 'new' } } })
    expect((await ask()).isCached).toBe(false)
    expect((await ask(undefined, { userId: 'bob' })).isCached).toBe(true)
  })

  it('answers a similar question only when asked to, and never across figures', async () => {
    const { ask } = house()
    await ask('How long does Harbor keep the backups of a deleted bucket?')
    const other = 'how long does Harbor keep backups of a deleted bucket'
    const similar = { reuse: { mode: 'similar' as const } }
    expect((await ask(other)).isCached).toBe(false)
    expect((await ask(`${other} please`, similar)).isCached).toBe(true)
    expect((await ask(`${other} after 30 days`, similar)).isCached).toBe(false)
    expect((await ask('What does Harbor cost?', similar)).isCached).toBe(false)
    expect((await ask(other, { ...similar, userId: 'bob' })).isCached).toBe(false)
  })

  it('keeps no answer that was cut short, and none that no model wrote', async () => {
    for (const provider of [scripted('a', [[text('Half'), { type: 'finish', reason: 'length' }]]), createLocalKnowledge(0)]) {
      const { ask } = house(provider)
      await ask()
      expect((await ask()).isCached).toBe(false)
    }
  })

  it('is bounded', async () => {
    const clock = fakeClock()
    const cache = createMemoryAnswerCache({ ttlMs: TTL_MS, clock, mostCharacters: 10_000 })
    const entry = { text: 'x'.repeat(500), finish: 'stop', provider: 'a', model: 'm', inputTokens: 1, question: '', scope: 's' } as const
    for (let index = 0; index < 100; index += 1) await cache.set('anna', `h${index}`, entry)
    await cache.set('anna', 'huge', { ...entry, text: 'x'.repeat(20_000) })
    const kept = await cache.inScope('anna', 's')
    expect(kept.length).toBeGreaterThan(3)
    expect(kept.length).toBeLessThan(8)
    expect(await cache.get('anna', 'huge')).toBeNull()
    await cache.drop('anna')
    expect(await cache.inScope('anna', 's')).toEqual([])
  })
})

describe('likeness', () => {
  it('is a share of words, and nothing where a figure differs', () => {
    expect(likeness(wordsOf('What is S3?'), wordsOf('what is s3'))).toBe(1)
    expect(likeness(wordsOf('a b c d'), wordsOf('a b c e'))).toBeCloseTo(0.6)
    expect(likeness(wordsOf('price of m7i'), wordsOf('price of m8i'))).toBe(0)
    expect(likeness([], [])).toBe(0)
  })
})
