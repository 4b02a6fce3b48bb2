// Any OpenAI-compatible server (OpenAI, Ollama, vLLM, LM Studio): chat completions, streamed. An own codec because it
// costs a tenth of a library's (docs/adr). An answer without a finish reason is a failure, however it ended.
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { errors, Pool } from 'undici'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { FinishReason } from '../../shared/turn.ts'
import { modelFacts } from './models.ts'
import type { Provider, ProviderPart, ProviderRequest } from './provider.ts'
import { createStallWatch } from './stallWatch.ts'

export interface OpenAiOptions {
  readonly id: string
  readonly name: string
  /** With its version path, without a slash at the end: `https://api.openai.com/v1`. */
  readonly baseUrl: string
  readonly apiKey: string | null
  /** Null: the first model that the server lists. */
  readonly model: string | null
  /** To the first piece, and between two. */
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
  readonly connections: number
}

const chunkSchema = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish()
      })
    )
    .default([]),
  usage: z
    .object({
      prompt_tokens: z.number().int().nonnegative(),
      completion_tokens: z.number().int().nonnegative(),
      prompt_tokens_details: z.object({ cached_tokens: z.number().int().nonnegative().nullish() }).nullish()
    })
    .nullish(),
  error: z.unknown().optional()
})
type Chunk = z.infer<typeof chunkSchema>

const finishes: Readonly<Record<string, FinishReason>> = { stop: 'stop', length: 'length', content_filter: 'filtered', eos: 'stop' }

export interface OpenAiProvider extends Provider {
  /** Lets answers that are on their way finish. */
  retire(): Promise<void>
  /** Ends them. */
  stop(): Promise<void>
}

export function createOpenAiProvider(options: OpenAiOptions): OpenAiProvider {
  const base = new URL(options.baseUrl)
  const pool = new Pool(base.origin, {
    connections: options.connections,
    connect: { timeout: options.connectTimeoutMs },
    // Stalls are watched here, by the piece: undici's own body timeout would count keep-alive comments as progress.
    headersTimeout: 0,
    bodyTimeout: 0
  })
  const path = (part: string): string => `${base.pathname.replace(/\/$/, '')}${part}`
  const headers = { ...(options.apiKey === null ? {} : { authorization: `Bearer ${options.apiKey}` }), accept: 'application/json' }
  let model = options.model

  const firstModel = async (signal: AbortSignal): Promise<string> => {
    const { statusCode, body } = await pool.request({ method: 'GET', path: path('/models'), headers, signal })
    const text = await limited(body, 1_000_000)
    if (statusCode !== 200) throw statusFailure(statusCode, undefined, options.name)
    const listed = z.object({ data: z.array(z.object({ id: z.string() })) }).safeParse(parseJson(text))
    const found = listed.success ? listed.data.data.find(({ id }) => !/embed|whisper|tts|rerank|moderation/i.test(id))?.id : undefined
    if (found === undefined) throw new CopilotError('unavailable', `${options.name} lists no model. Name one with OPENAI_MODEL.`)
    return found
  }

  const read = async function* (request: ProviderRequest, signal: AbortSignal, progress: () => void): AsyncGenerator<ProviderPart> {
    model ??= await firstModel(signal)
    const response = await pool.request({
      method: 'POST',
      path: path('/chat/completions'),
      headers: { ...headers, 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ model, messages: request.prompt, stream: true, stream_options: { include_usage: true } }),
      signal
    })
    if (response.statusCode !== 200) {
      await response.body.dump({ limit: 100_000 })
      throw statusFailure(response.statusCode, header(response.headers['retry-after']), options.name)
    }
    let finish: FinishReason | null = null
    for await (const chunk of chunksOf(response.body, options.name)) {
      progress()
      if (chunk.error !== undefined) throw new CopilotError('unavailable', `${options.name} reported a failure in its answer.`)
      const choice = chunk.choices[0]
      const text = choice?.delta?.content ?? ''
      if (text !== '') yield { type: 'text', text }
      if (typeof choice?.finish_reason === 'string' && choice.finish_reason !== '') finish = finishes[choice.finish_reason] ?? 'stop'
      if (chunk.usage) {
        const { prompt_tokens: inputTokens, completion_tokens: outputTokens, prompt_tokens_details: details } = chunk.usage
        yield { type: 'usage', inputTokens, outputTokens, cachedTokens: details?.cached_tokens ?? 0 }
      }
    }
    if (finish === null) throw new CopilotError('unavailable', `${options.name} broke off before its answer was complete.`)
    yield { type: 'finish', reason: finish }
  }

  return {
    id: options.id,
    name: options.name,
    kind: 'model',
    ready: () => Promise.resolve(true),
    model: () => model,
    profile: () => ({
      ...modelFacts(model),
      model,
      priceKey: null,
      timeouts: { firstTextMs: options.timeoutMs, betweenTextMs: options.timeoutMs }
    }),
    probe: async (signal) => void (await firstModel(signal)),
    async *stream(request, signal) {
      const watch = createStallWatch(options.timeoutMs)
      try {
        yield* read(request, AbortSignal.any([signal, watch.signal]), watch.progress)
      } catch (error) {
        if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.', { cause: error })
        if (watch.signal.aborted) throw new CopilotError('timeout', `${options.name} did not answer within ${options.timeoutMs / 1_000} seconds.`)
        throw toFailure(error, options.name)
      } finally {
        watch.stop()
      }
    },
    retire: () => pool.close(),
    stop: () => pool.destroy()
  }
}

/** Ends at `[DONE]` or with the body. Throws `unavailable` on anything that is not the protocol. */
async function* chunksOf(body: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Chunk> {
  const events: EventSourceMessage[] = []
  const malformed = (cause?: unknown): CopilotError =>
    new CopilotError('unavailable', `${name} sent something that is not a streamed answer.`, { cause })
  const parser = createParser({ onEvent: (event) => events.push(event), maxBufferSize: 1_000_000 })
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const bytes of body) {
    try {
      parser.feed(decoder.decode(bytes, { stream: true }))
    } catch (error) {
      throw malformed(error)
    }
    for (const { data } of events.splice(0)) {
      if (data.trim() === '[DONE]') return
      const chunk = chunkSchema.safeParse(parseJson(data))
      if (!chunk.success) throw malformed()
      yield chunk.data
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

async function limited(body: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.byteLength
    if (size > most) throw new CopilotError('unavailable', 'The model server answered with far too much.')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** A refused key is the service's trouble and not the caller's: never `unauthenticated`, which would make clients sign in again. */
function statusFailure(status: number, retryAfter: string | undefined, name: string): CopilotError {
  const seconds = retryAfter === undefined ? Number.NaN : Number(retryAfter)
  const wait = Number.isFinite(seconds) && seconds >= 0 ? { retryAfterMs: Math.round(Math.min(seconds, 3_600) * 1_000) } : {}
  if (status === 401 || status === 403) return new CopilotError('unavailable', `${name} refused the key (HTTP ${status}). Check OPENAI_API_KEY.`)
  if (status === 404)
    return new CopilotError('unavailable', `${name} does not know the model or the address (HTTP 404). Check OPENAI_MODEL and OPENAI_BASE_URL.`)
  if (status === 429) return new CopilotError('rate_limited', `${name} asks to wait (HTTP 429).`, wait)
  return new CopilotError('unavailable', `${name} failed (HTTP ${status}).`, wait)
}

function toFailure(error: unknown, name: string): unknown {
  if (error instanceof CopilotError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (
    error instanceof errors.UndiciError ||
    /^(ECONN|ENOTFOUND|EAI_|EPIPE|ETIMEDOUT|EHOST|ENET|CERT_|UND_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)
  ) {
    return new CopilotError('unavailable', `${name} can’t be reached (${code || 'connection lost'}).`, { cause: error })
  }
  return error
}
