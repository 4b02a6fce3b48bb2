// What each maker's codec puts on the wire and reads from it, byte by byte, against a server that a test writes: shapes of
// prompts, usage with caches, refusals in each maker's own words, hanging up, and any cut of the bytes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAnthropicProvider } from '../../src/service/providers/anthropic.undici.ts'
import type { UpstreamProvider } from '../../src/service/providers/answers.undici.ts'
import { MalformedAnswer } from '../../src/service/providers/codec.ts'
import { createBedrockProvider } from '../../src/service/providers/bedrock.undici.ts'
import { amazonEventStream, serverSentEvents } from '../../src/service/providers/framing.ts'
import { createGeminiProvider } from '../../src/service/providers/gemini.undici.ts'
import { createOpenAiProvider } from '../../src/service/providers/openai.undici.ts'
import type { ProviderPart, ProviderRequest } from '../../src/service/providers/provider.ts'
import { GO_ON } from '../../src/service/providers/shape.ts'
import { mockRequest } from '../fakes/provider-aimock.ts'
import { collect, fakeClock, never } from '../fakes/service-parts.ts'

type Maker = 'openai' | 'anthropic' | 'gemini' | 'bedrock'

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`
const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'),
  (text) => Buffer.from(text)
)
const frame = (name: string, payload: object, kind = 'event'): Buffer =>
  Buffer.from(
    codec.encode({
      headers: {
        ':message-type': { type: 'string', value: kind },
        [kind === 'event' ? ':event-type' : ':exception-type']: { type: 'string', value: name }
      },
      body: Buffer.from(JSON.stringify(payload))
    })
  )

/** One answer of each maker, from its own documentation: text in two pieces, usage with caches. */
const answers: Readonly<Record<Maker, readonly (string | Buffer)[]>> = {
  openai: [
    event({ choices: [{ delta: { role: 'assistant', content: '' } }], model: 'gpt-4o-2024-08-06' }),
    event({ choices: [{ delta: { content: 'Har' } }] }),
    event({ choices: [{ delta: { content: 'bor \u{1F6A2}' } }] }),
    event({ choices: [{ delta: {}, finish_reason: 'length' }] }),
    event({ choices: [], usage: { prompt_tokens: 100, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 64 } } }),
    'data: [DONE]\n\n'
  ],
  anthropic: [
    `event: message_start\n${event({ type: 'message_start', message: { model: 'claude-x', usage: { input_tokens: 6, cache_read_input_tokens: 64, cache_creation_input_tokens: 30, output_tokens: 1 } } })}`,
    `event: ping\n${event({ type: 'ping' })}`,
    event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Har' } }),
    event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'bor \u{1F6A2}' } }),
    event({ type: 'content_block_stop', index: 0 }),
    event({ type: 'message_delta', delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 7 } }),
    event({ type: 'message_stop' })
  ],
  gemini: [
    event({ candidates: [{ content: { role: 'model', parts: [{ text: 'hm', thought: true }, { text: 'Har' }] } }] }),
    event({ candidates: [{ content: { parts: [{ text: 'bor \u{1F6A2}' }] } }] }),
    event({
      candidates: [{ content: { parts: [{ text: '' }] }, finishReason: 'MAX_TOKENS' }],
      usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 5, thoughtsTokenCount: 2, cachedContentTokenCount: 64 }
    })
  ],
  bedrock: [
    frame('messageStart', { role: 'assistant' }),
    frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Har' } }),
    frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'bor \u{1F6A2}' } }),
    frame('contentBlockStop', { contentBlockIndex: 0 }),
    frame('messageStop', { stopReason: 'max_tokens' }),
    frame('metadata', { usage: { inputTokens: 6, outputTokens: 7, cacheReadInputTokens: 64, cacheWriteInputTokens: 30 } })
  ]
}
const makers: readonly Maker[] = ['openai', 'anthropic', 'gemini', 'bedrock']
const writes = new Set<Maker>(['anthropic', 'bedrock'])

interface Server extends AsyncDisposable {
  readonly provider: UpstreamProvider
  readonly requests: { url: string; headers: IncomingMessage['headers']; body: string }[]
  readonly left: Promise<void>
}

async function serving(maker: Maker, answer: (response: ServerResponse) => void | Promise<void>, model?: string): Promise<Server> {
  const requests: Server['requests'] = []
  const left = Promise.withResolvers<void>()
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = ''
    for await (const part of request) body += String(part)
    requests.push({ url: request.url ?? '', headers: request.headers, body })
    response.once('close', () => (response.writableFinished ? undefined : left.resolve()))
    await answer(response)
  }
  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const provider = providerOf(maker, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, model)
  return {
    provider,
    requests,
    left: left.promise,
    async [Symbol.asyncDispose]() {
      await provider.stop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

function providerOf(maker: Maker, url: string, model: string | undefined): UpstreamProvider {
  const timeouts = { firstTextMs: 2_000, betweenTextMs: 2_000 }
  const common = {
    id: maker,
    name: 'The maker',
    connectTimeoutMs: 1_000,
    connections: 4,
    timeouts,
    apiKey: () => 'key',
    priceKey: null,
    baseUrl: url
  }
  switch (maker) {
    case 'openai':
      return createOpenAiProvider({ ...common, model: model ?? 'gpt-4o' })
    case 'anthropic':
      return createAnthropicProvider({ ...common, model: model ?? 'claude-sonnet-4-5' })
    case 'gemini':
      return createGeminiProvider({ ...common, model: model ?? 'gemini-2.5-flash' })
    case 'bedrock':
      return createBedrockProvider({
        ...common,
        model: model ?? 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
        region: 'eu-central-1',
        credentials: () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session' }),
        clock: fakeClock(Date.parse('2026-11-21T12:00:00Z'))
      })
  }
}

const talk: ProviderRequest = {
  ...mockRequest('Now?'),
  maxOutputTokens: 300,
  temperature: 1.5,
  prompt: [
    { role: 'system', content: 'Be brief.' },
    { role: 'assistant', content: 'Hello.' },
    { role: 'user', content: 'First' },
    { role: 'user', content: 'second \ud800' },
    { role: 'assistant', content: '  ' },
    { role: 'assistant', content: 'Answer' },
    { role: 'user', content: 'Now?' }
  ]
}
const bodyOf = async (maker: Maker, request: ProviderRequest, model?: string): Promise<Record<string, unknown>> => {
  await using server = await serving(maker, (response) => void response.writeHead(500).end(), model)
  await expect(collect(server.provider.stream(request, never))).rejects.toMatchObject({ kind: 'unavailable' })
  return JSON.parse(server.requests[0]?.body ?? '') as Record<string, unknown>
}

describe.each(makers)('%s', (maker) => {
  it('reads text, usage with its caches, and the finish, from any cut of the bytes', async () => {
    const bytes = Buffer.concat(answers[maker].map((piece) => Buffer.from(piece)))
    for (const size of [bytes.length, 1, 7, 31]) {
      await using server = await serving(maker, async (response) => {
        response.writeHead(200)
        for (let at = 0; at < bytes.length; at += size) {
          if (!response.write(bytes.subarray(at, at + size))) await new Promise((resolve) => response.once('drain', resolve))
          if (size > 1 || at % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        response.end()
      })
      const parts = await collect<ProviderPart>(server.provider.stream(mockRequest('q'), never))
      expect(parts.map((part) => (part.type === 'text' ? part.text : '')).join('')).toBe('Harbor \u{1F6A2}')
      expect(parts.findLast(({ type }) => type === 'usage')).toMatchObject({
        inputTokens: 100,
        outputTokens: 7,
        cachedTokens: 64,
        ...(writes.has(maker) ? { cacheWriteTokens: 30 } : {})
      })
      expect(parts.at(-1)).toEqual({ type: 'finish', reason: 'length' })
    }
  })

  it('hangs up when it is stopped, and when it is left', async () => {
    for (const leave of ['abort', 'return'] as const) {
      const first = answers[maker].findIndex((piece) => piece.includes('Har')) + 1
      await using server = await serving(maker, (response) => {
        response.writeHead(200)
        for (const piece of answers[maker].slice(0, first)) response.write(piece)
      })
      const controller = new AbortController()
      const listening = (async () => {
        for await (const part of server.provider.stream(mockRequest('q'), controller.signal)) {
          if (part.type !== 'text') continue
          if (leave === 'return') return
          controller.abort()
        }
      })()
      if (leave === 'return') await listening
      else await expect(listening).rejects.toMatchObject({ code: 'cancelled' })
      await server.left
    }
  })

  it('takes its connections again for the next answers', async () => {
    const sockets = new Set<unknown>()
    await using server = await serving(maker, (response) => {
      sockets.add(response.socket)
      response.writeHead(200)
      for (const piece of answers[maker]) response.write(piece)
      response.end()
    })
    for (let round = 0; round < 6; round += 1) await collect(server.provider.stream(mockRequest('q'), never))
    // A second one: the pool asks again in the same tick in which the first is done.
    expect(sockets.size).toBeLessThanOrEqual(2)
  })

  it('does not wait for an upstream that says all and then keeps its line open, where the protocol has an end', async () => {
    if (maker === 'gemini' || maker === 'bedrock') return
    await using server = await serving(maker, (response) => {
      response.writeHead(200)
      for (const piece of answers[maker]) response.write(piece)
    })
    const started = performance.now()
    expect((await collect<ProviderPart>(server.provider.stream(mockRequest('q'), never))).at(-1)).toEqual({ type: 'finish', reason: 'length' })
    expect(performance.now() - started).toBeLessThan(1_500)
  })

  it.each([
    [429, { error: { message: 'slow down key', code: 429, status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '7s' }] } }, 'rate_limited'],
    [400, { error: { message: 'prompt is too long: 9 tokens > 8 maximum', type: 'invalid_request_error' } }, 'context_too_large'],
    [400, { error: { message: "This model's maximum context length is 8 tokens", code: 'context_length_exceeded' } }, 'context_too_large'],
    [413, {}, 'context_too_large'],
    [400, { error: { code: 400, status: 'INVALID_ARGUMENT', details: [{ reason: 'API_KEY_INVALID' }] } }, 'unauthenticated'],
    [403, { message: 'The security token key is invalid' }, 'unauthenticated'],
    [400, { error: { code: 'content_policy_violation' } }, 'refused'],
    [400, { error: { type: 'invalid_request_error' } }, 'invalid'],
    [422, 'not json', 'invalid'],
    [429, { error: { code: 'insufficient_quota', type: 'insufficient_quota' } }, 'unavailable'],
    [404, { error: { type: 'not_found_error' } }, 'unavailable'],
    [529, {}, 'overloaded'],
    [503, { error: { status: 'UNAVAILABLE' } }, 'overloaded'],
    [504, {}, 'timeout'],
    [500, { __type: 'ValidationException' }, 'unavailable'],
    [200, '', 'unavailable']
  ])('names HTTP %d %j as %s', async (status, body, kind) => {
    await using server = await serving(
      maker,
      (response) => void response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
    )
    const failing = collect(server.provider.stream(mockRequest('q'), never))
    await expect(failing).rejects.toMatchObject({ kind, message: expect.not.stringMatching(/slow down key|token key/) })
    if (JSON.stringify(body).includes('7s')) await expect(failing).rejects.toMatchObject({ retryAfterMs: 7_000 })
  })

  it('survives any bytes', async () => {
    const feeds = { openai: serverSentEvents, anthropic: serverSentEvents, gemini: serverSentEvents, bedrock: amazonEventStream }
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 5 }), (pieces) => {
        const feed = feeds[maker](() => undefined)
        try {
          for (const piece of pieces) feed(piece)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedAnswer)
        }
      })
    )
  })
})

describe('what is sent', () => {
  it('to Anthropic: instructions apart, roles in turn, temperature at most 1', async () => {
    expect(await bodyOf('anthropic', talk)).toEqual({
      model: 'claude-sonnet-4-5',
      max_tokens: 300,
      system: 'Be brief.',
      messages: [
        { role: 'user', content: '(The conversation began with this message of yours.)' },
        { role: 'assistant', content: 'Hello.' },
        { role: 'user', content: 'First\n\nsecond \ufffd' },
        { role: 'assistant', content: 'Answer' },
        { role: 'user', content: 'Now?' }
      ],
      stream: true,
      temperature: 1
    })
  })

  it('to Gemini: the model is called model', async () => {
    const body = await bodyOf('gemini', talk)
    expect(body).toMatchObject({
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      generationConfig: { maxOutputTokens: 300, temperature: 1.5 }
    })
    expect((body['contents'] as { role: string }[]).map(({ role }) => role)).toEqual(['user', 'model', 'user', 'model', 'user'])
  })

  it('to Bedrock: signed for its path, region and session', async () => {
    await using server = await serving('bedrock', (response) => void response.writeHead(500).end())
    await expect(collect(server.provider.stream(talk, never))).rejects.toMatchObject({ kind: 'unavailable' })
    const [request] = server.requests
    expect(request?.url).toBe('/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream')
    expect(request?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20261121\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, Signature=[0-9a-f]{64}$/
    )
    expect(request?.headers['x-amz-security-token']).toBe('session')
    expect(request?.headers['x-amz-date']).toBe('20261121T120000Z')
  })

  it('to a reasoning model of OpenAI: no temperature, instructions from the developer only where OpenAI itself is asked', async () => {
    const body = await bodyOf('openai', talk, 'gpt-5')
    expect(body).toMatchObject({ max_tokens: 300 })
    expect(body).not.toHaveProperty('temperature')
    expect((body['messages'] as { role: string }[])[0]?.role).toBe('system')
  })

  it('an answer already begun goes last where the model goes on by itself, and is followed by a word where it does not', async () => {
    const begun: ProviderRequest = { ...talk, prompt: [...talk.prompt, { role: 'assistant', content: 'Har ' }] }
    const last = (body: Record<string, unknown>): unknown => (body['messages'] as unknown[]).at(-1)
    expect(last(await bodyOf('anthropic', begun))).toEqual({ role: 'assistant', content: 'Har' })
    expect(last(await bodyOf('anthropic', begun, 'claude-opus-4-6'))).toEqual({ role: 'user', content: GO_ON })
    expect(last(await bodyOf('openai', begun))).toEqual({ role: 'user', content: GO_ON })
  })
})

describe('probes', () => {
  it.each<[Maker, string]>([
    ['openai', '/models'],
    ['anthropic', '/v1/models'],
    ['gemini', '/v1beta/models?pageSize=50']
  ])('%s is asked for its models with its key', async (maker, url) => {
    await using server = await serving(maker, (response) => void response.end('{"data":[],"models":[]}'))
    await server.provider.probe(never)
    expect(server.requests.map((request) => request.url)).toEqual([url])
    expect(JSON.stringify(server.requests[0]?.headers)).toContain('key')
  })

  it('Bedrock is asked for nothing, and is well when it says that this is nothing', async () => {
    await using server = await serving('bedrock', (response) => void response.writeHead(400).end('{"message":"messages is empty"}'))
    await server.provider.probe(never)
  })

  it.each(makers)('%s with a refused key is not well', async (maker) => {
    await using server = await serving(maker, (response) => void response.writeHead(403).end('{}'))
    await expect(server.provider.probe(never)).rejects.toMatchObject({ kind: 'unauthenticated' })
  })
})

describe('failures inside a stream', () => {
  it.each<[Maker, string | Buffer, string]>([
    ['openai', event({ error: { type: 'server_error', message: 'x' } }), 'unavailable'],
    ['anthropic', `event: error\n${event({ type: 'error', error: { type: 'overloaded_error', message: 'x' } })}`, 'overloaded'],
    ['gemini', event({ error: { code: 503, status: 'UNAVAILABLE' } }), 'overloaded'],
    ['gemini', event({ promptFeedback: { blockReason: 'SAFETY' } }), 'refused'],
    ['gemini', event({ candidates: [{ finishReason: 'OTHER' }] }), 'unavailable'],
    ['bedrock', frame('throttlingException', { message: 'x' }, 'exception'), 'rate_limited'],
    ['bedrock', frame('modelStreamErrorException', { message: 'x' }, 'exception'), 'unavailable'],
    ['bedrock', Buffer.concat([frame('messageStop', { stopReason: 'end_turn' }).subarray(0, -4), Buffer.alloc(4)]), 'unavailable']
  ])('%s: %j', async (maker, piece, kind) => {
    await using server = await serving(maker, (response) => void response.writeHead(200).end(piece))
    await expect(collect(server.provider.stream(mockRequest('q'), never))).rejects.toMatchObject({ kind })
  })
})
