// The clients of the business and resources APIs, against real HTTP servers that answer, refuse, hang and die.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { fakeClock, never } from '../../../test/fakes/service-parts.ts'
import { breakerRules } from '../orchestrator/breaker.ts'
import { createApiClient } from './apiClient.undici.ts'
import { createBusinessInfo } from './businessInfo.undici.ts'

/** A server that answers by what `handle` is at the moment. */
async function api() {
  const asked: string[] = []
  const here = {
    handle: (async () => ({ status: 200, body: '{"name":"Acme"}' })) as () => Promise<{ status: number; body: string; type?: string } | null>
  }
  const listener: RequestListener = (request, response) => {
    asked.push(`${request.url ?? ''} ${request.headers.authorization ?? ''}`.trim())
    void here
      .handle()
      .then((answer) => answer !== null && response.writeHead(answer.status, { 'content-type': answer.type ?? 'application/json' }).end(answer.body))
  }
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const clock = fakeClock()
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const options = {
    name: 'business',
    baseUrl,
    key: 'k',
    clock,
    timeoutMs: 300,
    freshMs: 1_000,
    staleMs: 5_000,
    breaker: { ...breakerRules, leastCalls: 3, windowMs: 60_000, openMs: 2_000 }
  }
  const client = createApiClient(options)
  return {
    here,
    asked,
    clock,
    client,
    baseUrl,
    async [Symbol.asyncDispose]() {
      await client.stop()
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    }
  }
}
const failing = async () => ({ status: 503, body: '' })

describe('API client', () => {
  it('asks once for all who want the same, with the key, and again when it is no longer fresh', async () => {
    await using house = await api()
    const all = await Promise.all([1, 2, 3].map(() => house.client.get('/a', never)))
    expect(all).toEqual([{ name: 'Acme' }, { name: 'Acme' }, { name: 'Acme' }])
    await house.client.get('/a', never)
    expect(house.asked).toEqual(['/v1/a Bearer k'])
    house.clock.set(house.clock.now() + 1_001)
    await house.client.get('/a', never)
    expect(house.asked).toHaveLength(2)
  })

  it('lets what it knew stand in for an API that is away, for a time', async () => {
    await using house = await api()
    await house.client.get('/a', never)
    house.here.handle = failing
    house.clock.set(house.clock.now() + 2_000)
    expect(await house.client.get('/a', never)).toEqual({ name: 'Acme' })
    expect(house.asked).toHaveLength(2)
    house.clock.set(house.clock.now() + 4_000)
    await expect(house.client.get('/a', never)).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('leaves an API alone that fails again and again, and comes back to it', async () => {
    await using house = await api()
    house.here.handle = failing
    for (let call = 0; call < 6; call += 1) await expect(house.client.get(`/${call}`, never)).rejects.toMatchObject({ code: 'unavailable' })
    expect(house.asked).toHaveLength(3)
    house.here.handle = async () => ({ status: 200, body: '1' })
    house.clock.set(house.clock.now() + 2_001)
    expect(await house.client.get('/x', never)).toBe(1)
  })

  it.each([
    ['no JSON', { status: 200, body: '{' }, 'unavailable'],
    ['a page', { status: 200, body: '<html>', type: 'text/html' }, 'unavailable'],
    ['far too much', { status: 200, body: JSON.stringify('x'.repeat(300_000)) }, 'unavailable'],
    ['a redirect', { status: 302, body: '' }, 'unavailable'],
    ['a refusal', { status: 403, body: '' }, 'forbidden'],
    ['nothing', null, 'timeout']
  ])('says in one sentence what is wrong with %s', async (_what, answer, code) => {
    await using house = await api()
    house.here.handle = async () => answer
    await expect(house.client.get('/a', never)).rejects.toMatchObject({ code })
  })

  it('stops waiting when it is told to, and the others go on', async () => {
    await using house = await api()
    const answer = Promise.withResolvers<{ status: number; body: string }>()
    house.here.handle = () => answer.promise
    const leaving = new AbortController()
    const left = house.client.get('/a', leaving.signal)
    const stays = house.client.get('/a', never)
    leaving.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    answer.resolve({ status: 200, body: '"here"' })
    expect(await stays).toBe('here')
    expect(house.asked).toHaveLength(1)
  })
})

describe('business info', () => {
  it('is for one’s own business, and for administrators and services; others cause no request', async () => {
    await using house = await api()
    const info = createBusinessInfo({
      businessApi: { baseUrl: house.baseUrl, key: null },
      resourcesApi: { baseUrl: house.baseUrl, key: null },
      clock: house.clock
    })
    for (const role of ['user', 'manager', 'root']) {
      await expect(info.business({ role, businessId: 'globex' }, 'acme', never)).rejects.toMatchObject({ code: 'forbidden' })
      await expect(info.resources({ role, businessId: 'globex' }, { businessId: 'acme' }, never)).rejects.toMatchObject({ code: 'forbidden' })
    }
    expect(house.asked).toEqual([])
    expect(await info.business({ role: 'user', businessId: 'a/../b' }, 'a/../b', never)).toEqual({ name: 'Acme' })
    await info.resources({ role: 'admin', businessId: 'x' }, { businessId: 'acme', locationId: 'B 1' }, never)
    expect(house.asked).toEqual(['/v1/businesses/a%2F..%2Fb', '/v1/businesses/acme/resources?locationId=B%201'])
    house.here.handle = async () => ({ status: 404, body: '' })
    expect(await info.business({ role: 'service', businessId: '' }, 'nobody', never)).toBeNull()
    await info.stop()
  })

  it('knows nothing where there is no API', async () => {
    const info = createBusinessInfo({ businessApi: null, resourcesApi: null, clock: fakeClock() })
    expect(await info.business({ role: 'user', businessId: 'a' }, 'a', never)).toBeNull()
    await info.stop()
  })
})
