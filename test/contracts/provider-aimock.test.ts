// Every maker's codec against an independent mock of its API: the provider contract, its usage, and its faults.
import { describe, expect, it } from 'vitest'
import type { ProviderPart } from '../../src/service/providers/provider.ts'
import { collect, never } from '../fakes/service-parts.ts'
import { makers, MOCK_ANSWER, MOCK_KEY, mockedProvider, mockRequest, type Fault } from '../fakes/provider-aimock.ts'
import { providerContract } from './provider.ts'

const textOf = (parts: readonly ProviderPart[]): string => parts.map((part) => (part.type === 'text' ? part.text : '')).join('')

describe.each(makers)('%s', (maker) => {
  providerContract(() => mockedProvider(maker))

  it('streams the whole answer with its usage, and sends prompt and key where they belong', async () => {
    await using under = await mockedProvider(maker)
    const parts = await collect<ProviderPart>(
      under.provider.stream({ ...mockRequest('What is Harbor?'), maxOutputTokens: 500, temperature: 0.5 }, never)
    )
    expect(textOf(parts)).toBe(MOCK_ANSWER)
    const usage = parts.findLast((part) => part.type === 'usage')
    expect(usage).toMatchObject({ inputTokens: 100, outputTokens: 20, cachedTokens: 0 })
    const asked = under.mock.getLastRequest()
    expect(JSON.stringify(asked?.body)).toContain('What is Harbor?')
    expect(JSON.stringify(asked?.body)).toContain('Be brief.')
    expect(JSON.stringify(asked?.body)).not.toContain(MOCK_KEY)
    expect(asked?.path).not.toContain(MOCK_KEY)
  })

  it.each<[Fault, string, string]>([
    ['429', 'rate_limited', 'rate_limited'],
    ['500', 'unavailable', 'unavailable'],
    ['529', 'overloaded', 'unavailable'],
    ['auth', 'unauthenticated', 'unavailable'],
    ['silent', 'timeout', 'timeout'],
    ['hang', 'timeout', 'timeout'],
    ['malformed', 'unavailable', 'unavailable']
  ])('takes the fault %s for %s, and never tells the key', async (fault, kind, code) => {
    await using under = await mockedProvider(maker, ['silent', 'hang'].includes(fault) ? { firstTextMs: 250, betweenTextMs: 150 } : undefined)
    const heard = collect(under.provider.stream(mockRequest(`fault ${fault}`), never))
    await expect(heard).rejects.toMatchObject({ kind, code, message: expect.not.stringContaining(MOCK_KEY) })
    if (fault === '429') await expect(heard).rejects.toMatchObject({ retryAfterMs: 7_000 })
  })

  it('takes a cut answer for a failure, and keeps what came before', async () => {
    await using under = await mockedProvider(maker)
    const heard: ProviderPart[] = []
    const listening = (async () => {
      for await (const part of under.provider.stream(mockRequest('fault cut'), never)) heard.push(part)
    })()
    await expect(listening).rejects.toMatchObject({ kind: expect.stringMatching(/^(cut|unavailable)$/), code: 'unavailable' })
    expect(MOCK_ANSWER.startsWith(textOf(heard))).toBe(true)
    expect(textOf(heard)).not.toBe('')
    expect(heard.some(({ type }) => type === 'finish')).toBe(false)
  })

  // The mock does not list models for the others; their probes are in provider-wire.test.ts.
  it.runIf(['openai', 'compatible', 'anthropic'].includes(maker))('is probed without asking a model', async () => {
    await using under = await mockedProvider(maker)
    await under.provider.probe(never)
    expect(under.mock.getLastRequest()?.path ?? '/v1/models').toBe('/v1/models')
  })
})
