// What every provider must do, whoever writes its answers.
import { expect, it } from 'vitest'
import type { Provider, ProviderPart, ProviderRequest } from '../../src/service/providers/provider.ts'
import { collect, never } from '../fakes/service-parts.ts'

export interface ProviderUnderTest extends AsyncDisposable {
  readonly provider: Provider
}

const passage = {
  id: 'harbor#0',
  slug: 'harbor',
  title: 'Harbor',
  heading: '',
  text: 'Harbor keeps objects. It has classes.\n\n- Frozen is for archives.\n- Warm is for daily use.',
  provider: 'aws',
  topic: 'storage',
  source: 'Harbor guide',
  url: 'https://example.com/harbor',
  date: '2025-01-01',
  relevance: 1,
  n: 1
}
export const aRequest: ProviderRequest = {
  question: 'What is Harbor?',
  quickAction: undefined,
  history: [],
  material: {
    passages: [passage],
    terms: [
      { forms: ['archive'], weight: 3 },
      { forms: ['warm'], weight: 3 }
    ],
    estimate: [],
    sources: []
  },
  prompt: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'What is Harbor?' }
  ]
}

/** Without the cuts between pieces, which are a matter of the moment. */
function joined(parts: readonly ProviderPart[]): { readonly text: string; readonly rest: readonly ProviderPart[] } {
  return {
    text: parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    rest: parts.filter(({ type }) => type !== 'text')
  }
}

export function providerContract(make: () => Promise<ProviderUnderTest>): void {
  it('streams text and ends with why it ended', async () => {
    await using under = await make()
    expect(await under.provider.ready(never)).toBe(true)
    const parts = await collect<ProviderPart>(under.provider.stream(aRequest, never))
    const { streaming } = under.provider.profile()
    expect(parts.filter(({ type }) => type === 'text').length).toBeGreaterThan(streaming ? 1 : 0)
    expect(parts.at(-1)).toEqual({ type: 'finish', reason: 'stop' })
    expect(parts.filter(({ type }) => type === 'finish')).toHaveLength(1)
    expect(under.provider.model()).toEqual(expect.any(String))
  })

  it('answers several at once', async () => {
    await using under = await make()
    const answers = await Promise.all(Array.from({ length: 8 }, () => collect<ProviderPart>(under.provider.stream(aRequest, never))))
    for (const parts of answers) expect(joined(parts)).toEqual(joined(answers[0] ?? []))
  })

  it('says nothing when it is stopped before it begins', async () => {
    await using under = await make()
    await expect(collect(under.provider.stream(aRequest, AbortSignal.abort()))).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('stops in the middle', async () => {
    await using under = await make()
    const controller = new AbortController()
    const heard: ProviderPart[] = []
    const listening = (async () => {
      for await (const part of under.provider.stream(aRequest, controller.signal)) {
        heard.push(part)
        controller.abort()
      }
    })()
    await expect(listening).rejects.toMatchObject({ code: 'cancelled' })
    expect(heard).toHaveLength(1)
  })
}
