// The provider contract on every adapter, and what only the ones with an upstream can get wrong.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { createLocalKnowledge } from '../../src/service/providers/localKnowledge.ts'
import { createOllamaProvider } from '../../src/service/providers/ollama.undici.ts'
import { createOpenAiProvider, type OpenAiOptions } from '../../src/service/providers/openai.undici.ts'
import { collect, fakeClock, never } from '../fakes/service-parts.ts'
import { chunk, done, finish, startUpstream, stream, usage, type Upstream } from '../fakes/service-upstream.ts'
import { aRequest, providerContract } from './provider.ts'

const options = (upstream: Upstream, part: Partial<OpenAiOptions> = {}): OpenAiOptions => ({
  id: 'openai',
  name: 'The model server',
  baseUrl: upstream.baseUrl,
  apiKey: () => 'sk-test',
  priceKey: 'openai',
  model: 'm-1',
  timeouts: { firstTextMs: 2_000, betweenTextMs: 2_000 },
  connectTimeoutMs: 1_000,
  connections: 10,
  ...part
})

describe('local knowledge', () => {
  providerContract(async () => ({ provider: createLocalKnowledge(), [Symbol.asyncDispose]: () => Promise.resolve() }))
})

describe('OpenAI-compatible server', () => {
  const pieces = (upstream: Upstream): void =>
    upstream.script(async (response) => {
      stream(response)
      for (const piece of ['Har', 'bor ', 'keeps.']) {
        response.write(chunk(piece))
        await wait(5)
      }
      response.end(finish() + usage(12, 3, 4) + done)
    })
  const start = async (part: Partial<OpenAiOptions> = {}) => {
    const upstream = await startUpstream()
    pieces(upstream)
    const provider = createOpenAiProvider(options(upstream, part))
    return {
      upstream,
      provider,
      async [Symbol.asyncDispose]() {
        await provider.stop()
        await upstream[Symbol.asyncDispose]()
      }
    }
  }
  providerContract(() => start())

  it('sends the prompt, the model and the key, and reads the usage', async () => {
    await using under = await start()
    const parts = await collect(under.provider.stream(aRequest, never))
    expect(under.upstream.requests).toEqual([
      {
        path: '/v1/chat/completions',
        authorization: 'Bearer sk-test',
        body: { model: 'm-1', messages: aRequest.prompt, stream: true, stream_options: { include_usage: true } }
      }
    ])
    expect(parts).toContainEqual({ type: 'usage', inputTokens: 12, outputTokens: 3, cachedTokens: 4 })
  })

  it('takes the first chat model that the server lists when none is named', async () => {
    await using under = await start({ model: null, apiKey: () => null })
    await collect(under.provider.stream(aRequest, never))
    expect(under.upstream.requests.map(({ path, authorization }) => [path, authorization])).toEqual([
      ['/v1/models', undefined],
      ['/v1/chat/completions', undefined]
    ])
    expect(under.provider.model()).toBe('first-chat')
  })

  it('ends the upstream call when it is stopped', async () => {
    await using under = await start()
    under.upstream.script((response) => void stream(response).write(chunk('Har')))
    const controller = new AbortController()
    const listening = (async () => {
      for await (const part of under.provider.stream(aRequest, controller.signal)) if (part.type === 'text') controller.abort()
    })()
    await expect(listening).rejects.toMatchObject({ code: 'cancelled' })
    await under.upstream.abandoned
  })

  it('reads an answer whose bytes come in any cut', async () => {
    await using under = await start()
    const bytes = Buffer.from(`: comment\n\n${chunk('Zür')}${chunk('ich \u{1F600}')}${finish('length')}${done}`)
    under.upstream.script(async (response) => {
      stream(response)
      for (let index = 0; index < bytes.length; index += 7) {
        response.write(bytes.subarray(index, index + 7))
        await wait(1)
      }
      response.end()
    })
    expect(await collect(under.provider.stream(aRequest, never))).toEqual([
      { type: 'text', text: 'Zür' },
      { type: 'text', text: 'ich \u{1F600}' },
      { type: 'finish', reason: 'length' }
    ])
  })

  it.each([
    ['closes in mid-answer', (upstream: Upstream) => upstream.script((r) => void stream(r).end(chunk('Har')))],
    ['cuts the connection', (upstream: Upstream) => upstream.script(async (r) => (stream(r).write(chunk('Har')), await wait(20), void r.destroy()))],
    ['says it is done without a reason', (upstream: Upstream) => upstream.script((r) => void stream(r).end(chunk('Har') + done))],
    [
      'sends what is no JSON',
      (upstream: Upstream) => upstream.script((r) => void stream(r).end(`${chunk('Har')}data: {"choices": [\n\n${finish()}`))
    ],
    ['sends another shape', (upstream: Upstream) => upstream.script((r) => void stream(r).end('data: {"choices": "none"}\n\n'))],
    ['sends a web page', (upstream: Upstream) => upstream.script((r) => void r.end('<html>sign in</html>'))],
    ['sends an event without an end', (upstream: Upstream) => upstream.script((r) => void stream(r).end(`data: ${'x'.repeat(1_200_000)}`))],
    ['sends nothing', (upstream: Upstream) => upstream.script((r) => void stream(r).end())],
    ['sends broken UTF-8', (upstream: Upstream) => upstream.script((r) => void stream(r).end(Buffer.from([0x64, 0xff, 0xfe])))],
    [
      'reports an error in its stream',
      (upstream: Upstream) => upstream.script((r) => void stream(r).end('data: {"error": {"message": "overloaded: sk-secret"}}\n\n'))
    ]
  ])('takes it for a failure when the server %s', async (_what, script) => {
    await using under = await start()
    script(under.upstream)
    await expect(collect(under.provider.stream(aRequest, never))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.not.stringContaining('sk-secret')
    })
  })

  it.each([
    [401, 'unavailable', 'OPENAI_API_KEY'],
    [404, 'unavailable', 'OPENAI_MODEL'],
    [429, 'rate_limited', 'wait'],
    [500, 'unavailable', '500'],
    [302, 'unavailable', '302']
  ])('names HTTP %d as %s', async (status, code, words) => {
    await using under = await start()
    under.upstream.script((response) => void response.writeHead(status, { 'retry-after': '7' }).end('{"error":"no"}'))
    await expect(collect(under.provider.stream(aRequest, never))).rejects.toMatchObject({ code, message: expect.stringContaining(words) })
  })

  it('passes on how long to wait', async () => {
    await using under = await start()
    under.upstream.script((response) => void response.writeHead(429, { 'retry-after': '7' }).end())
    await expect(collect(under.provider.stream(aRequest, never))).rejects.toMatchObject({ retryAfterMs: 7_000 })
  })

  it.each([0, 1])('gives up on a server that goes quiet after %d pieces, and hangs up', async (count) => {
    await using under = await start({ timeouts: { firstTextMs: 80, betweenTextMs: 80 } })
    under.upstream.script((response) => {
      stream(response).flushHeaders()
      for (let index = 0; index < count; index += 1) response.write(chunk('Har'))
    })
    await expect(collect(under.provider.stream(aRequest, never))).rejects.toMatchObject({ code: 'timeout' })
    await under.upstream.abandoned
  })

  it('waits on a slow answer as long as pieces keep coming', async () => {
    await using under = await start({ timeouts: { firstTextMs: 150, betweenTextMs: 150 } })
    under.upstream.script(async (response) => {
      stream(response)
      for (let index = 0; index < 6; index += 1) {
        response.write(chunk('.'))
        await wait(60)
      }
      response.end(finish() + done)
    })
    expect(await collect(under.provider.stream(aRequest, never))).toHaveLength(7)
  })

  it('says that nobody is there', async () => {
    const upstream = await startUpstream()
    await upstream[Symbol.asyncDispose]()
    const provider = createOpenAiProvider(options(upstream))
    await expect(collect(provider.stream(aRequest, never))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('can’t be reached')
    })
    await provider.stop()
  })
})

describe('Ollama', () => {
  const settings = { model: null, timeouts: { firstTextMs: 2_000, betweenTextMs: 2_000 }, connectTimeoutMs: 1_000, connections: 4 }

  it('is found, with a model that can chat, and answers', async () => {
    await using upstream = await startUpstream()
    const provider = createOllamaProvider({ ...settings, url: upstream.root, clock: fakeClock() })
    expect(await provider.ready(never)).toBe(true)
    expect(provider.model()).toBe('llama3:8b')
    expect(await collect(provider.stream(aRequest, never))).toEqual([
      { type: 'text', text: 'Hello' },
      { type: 'finish', reason: 'stop' }
    ])
    await provider.stop()
  })

  it('is not there, and noticed when it comes', async () => {
    const clock = fakeClock()
    let isThere = false
    const door = createServer((request, response) => {
      if (isThere) response.end(JSON.stringify({ models: [{ name: 'llama3:8b' }] }))
      else request.socket.destroy()
    })
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
    const provider = createOllamaProvider({ ...settings, url: `http://127.0.0.1:${(door.address() as AddressInfo).port}`, clock })
    expect(await provider.ready(never)).toBe(false)
    expect(provider.model()).toBeNull()
    isThere = true
    clock.set(clock.now() + 60_000)
    // The question that finds the old answer stale is not kept waiting; a later one gets the new.
    expect(await provider.ready(never)).toBe(false)
    await vi.waitFor(async () => expect(await provider.ready(never)).toBe(true))
    await provider.stop()
    await new Promise((resolve) => door.close(resolve))
  })

  it('never waits long for one that does not answer', async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const provider = createOllamaProvider({ ...settings, url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`, clock: fakeClock() })
    const started = performance.now()
    expect(await provider.ready(never)).toBe(false)
    expect(performance.now() - started).toBeLessThan(1_500)
    await provider.stop()
    silent.closeAllConnections()
    await new Promise((resolve) => silent.close(resolve))
  })
})
