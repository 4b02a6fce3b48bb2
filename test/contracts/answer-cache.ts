// What every cache of answers must do.
import { expect, it } from 'vitest'
import type { AnswerCache, CachedAnswer } from '../../src/service/cache/answerCache.ts'

export interface AnswerCacheUnderTest extends AsyncDisposable {
  readonly cache: AnswerCache
  /** Lets this much time pass for the cache. */
  pass(ms: number): Promise<void>
}

export const anAnswer = (part: Partial<CachedAnswer> = {}): CachedAnswer => ({
  text: 'Harbor is a registry 🚢.',
  finish: 'stop',
  provider: 'openai',
  model: 'm',
  inputTokens: 7,
  question: 'What is Harbor?',
  scope: 's',
  ...part
})

/** `ttlMs`: how long the caches keep an answer. */
export function answerCacheContract(make: () => Promise<AnswerCacheUnderTest>, { ttlMs }: { readonly ttlMs: number }): void {
  it('gives an answer back whole, to its user and question alone', async () => {
    await using under = await make()
    const { cache } = under
    await cache.set('anna', 'h1', anAnswer())
    expect(await cache.get('anna', 'h1')).toEqual(anAnswer())
    expect(await cache.get('anna', 'h2')).toBeNull()
    for (const other of ['bob', 'anna:h1', 'ann', '']) expect(await cache.get(other, 'h1')).toBeNull()
    await cache.set('anna', 'h1', anAnswer({ text: 'Another.' }))
    expect(await cache.get('anna', 'h1')).toMatchObject({ text: 'Another.' })
  })

  it('forgets an answer after its time', async () => {
    await using under = await make()
    await under.cache.set('anna', 'h1', anAnswer())
    await under.pass(ttlMs / 2)
    expect(await under.cache.get('anna', 'h1')).not.toBeNull()
    await under.pass(ttlMs)
    expect(await under.cache.get('anna', 'h1')).toBeNull()
    expect(await under.cache.inScope('anna', 's')).toEqual([])
  })

  it('gives those of a scope, newest first', async () => {
    await using under = await make()
    for (const [hash, scope] of [
      ['h1', 's'],
      ['h2', 'other'],
      ['h3', 's']
    ] as const) {
      // prettier-ignore
      await under.cache.set('anna', hash, anAnswer({ scope, text: hash }))
      await under.pass(2)
    }
    expect((await under.cache.inScope('anna', 's')).map(({ text }) => text)).toEqual(['h3', 'h1'])
    expect(await under.cache.inScope('bob', 's')).toEqual([])
  })

  it('drops what is a user’s, and nothing of others', async () => {
    await using under = await make()
    const { cache } = under
    await cache.set('anna', 'h1', anAnswer())
    await cache.set('anna', 'h2', anAnswer())
    await cache.set('anna:h1', 'h1', anAnswer())
    await cache.drop('anna')
    await cache.drop('nobody')
    expect([await cache.get('anna', 'h1'), await cache.get('anna', 'h2')]).toEqual([null, null])
    expect(await cache.inScope('anna', 's')).toEqual([])
    expect(await cache.get('anna:h1', 'h1')).not.toBeNull()
  })

  it('drops a user’s answers when a session has another context, not when it has one for the first time or still', async () => {
    await using under = await make()
    const { cache } = under
    await cache.noteContext('anna', 's1', 'context 1')
    await cache.set('anna', 'h1', anAnswer())
    await cache.noteContext('anna', 's1', 'context 1')
    await cache.noteContext('anna', 's2', 'context 2')
    await cache.noteContext('bob', 's1', 'context 3')
    expect(await cache.get('anna', 'h1')).not.toBeNull()
    await cache.noteContext('anna', 's1', 'context 2')
    expect(await cache.get('anna', 'h1')).toBeNull()
  })
}
