// Streamed answers over HTTP, whoever's protocol it is: connections, timeouts, abort and failures around a codec. An answer
// without a finish reason is a failure, however it ended. Aborting closes the connection, so the upstream stops too.
import { errors, Pool, type Dispatcher } from 'undici'
import { CopilotError } from '../../shared/errors.ts'
import type { FinishReason } from '../../shared/turn.ts'
import { exchange, type Exchange } from './exchange.undici.ts'
import { MalformedAnswer, type AnswerReader, type AnswerSink, type Codec, type UpstreamCall } from './codec.ts'
import { ProviderFailure } from './failure.ts'
import { modelFacts, type ModelFacts } from './models.ts'
import type { Provider, ProviderCaller, ProviderPart, ProviderProfile, ProviderTimeouts, ProviderUsage } from './provider.ts'
import { createStallWatch, type StallWatch } from './stallWatch.ts'
import { refusal, refusalBody, type Setup } from './upstreamFailure.ts'

/** Headers that prove who asks; asked for at each call, since keys are rotated while the service runs. */
export type Authorise = (call: UpstreamCall, caller: ProviderCaller | undefined) => Promise<UpstreamCall['headers']> | UpstreamCall['headers']

export interface AnswersOptions extends Setup {
  readonly id: string
  /** Without a slash at the end: `https://api.openai.com/v1`. */
  readonly baseUrl: string
  /** Null: the first model that the server lists. */
  readonly model: string | null
  readonly priceKey: string | null
  /** What is known better of the model than by its name. */
  readonly facts?: Partial<ModelFacts>
  readonly timeouts: ProviderTimeouts
  readonly connectTimeoutMs: number
  readonly connections: number
}

export interface UpstreamProvider extends Provider {
  /** Lets answers that are on their way finish. */
  retire(): Promise<void>
  /** Ends them. */
  stop(): Promise<void>
}

/** Splits a body into the events of one answer. */
export type Framing = (onEvent: (data: string) => void) => (bytes: Uint8Array) => void

export interface Protocol {
  readonly codec: Codec
  readonly framing: Framing
  readonly authorise: Authorise
}

const MOST_REFUSAL_BYTES = 100_000
const MOST_LIST_BYTES = 5_000_000
const WHOLE_TOLD_EVERY_MS = 100
/** Pieces of a stream that come closer together than this are told as one: a quarter of a frame. */
const PIECE_TOLD_EVERY_MS = 4
/** For an upstream to close its answer after it said that it was complete; keeps the connection for the next one. */
const CLOSING_MS = 200
/** Made once, and never seen: it ends as the failure that says for how long the upstream was quiet. */
const STALLED = new Error('the upstream is quiet')

export function createAnswers(options: AnswersOptions, { codec, framing, authorise }: Protocol): UpstreamProvider {
  const base = new URL(options.baseUrl)
  const prefix = base.pathname.replace(/\/$/, '')
  const pool = new Pool(base.origin, {
    connections: options.connections,
    connect: { timeout: options.connectTimeoutMs },
    // Stalls are watched here, by the piece: undici's own timeouts would count keep-alive comments as progress.
    headersTimeout: 0,
    bodyTimeout: 0
  })
  const profileOf = (model: string | null): ProviderProfile => ({
    ...modelFacts(model, options.facts),
    model,
    priceKey: options.priceKey,
    timeouts: options.timeouts
  })
  let profile = profileOf(options.model)

  const call = async (wanted: UpstreamCall, signal: AbortSignal, caller?: ProviderCaller): Promise<Dispatcher.ResponseData> => {
    return await pool.request({ ...dispatched(wanted, await authorise(wanted, caller)), signal })
  }

  const dispatched = (wanted: UpstreamCall, proof: UpstreamCall['headers']): Dispatcher.DispatchOptions => ({
    method: wanted.method,
    path: prefix + wanted.path,
    headers: { ...wanted.headers, ...proof },
    body: wanted.body ?? null
  })

  const refused = async ({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<ProviderFailure> =>
    refusal({ status: statusCode, headers, body: refusalBody(await atMost(body, MOST_REFUSAL_BYTES)) }, options)

  const list = async (signal: AbortSignal): Promise<readonly string[]> => {
    const response = await call(codec.probe, signal)
    if (response.statusCode !== 200 && response.statusCode !== codec.probeAlso) throw await refused(response)
    return codec.models(refusalBody(await atMost(response.body, MOST_LIST_BYTES)))
  }

  const choose = async (signal: AbortSignal): Promise<string> => {
    const [first] = await list(signal)
    if (first === undefined) throw new ProviderFailure('unavailable', `${options.name} lists no model. Name one with ${options.modelSetting}.`)
    profile = profileOf(first)
    return first
  }

  const failureOf = (error: unknown, watch: StallWatch, signal: AbortSignal): unknown => {
    if (signal.aborted) return new CopilotError('cancelled', 'Stopped.', { cause: error })
    if (watch.stalledMs !== null) return new ProviderFailure('timeout', `${options.name} did not answer within ${watch.stalledMs / 1_000} seconds.`)
    return transportFailure(error, options.name)
  }

  return {
    id: options.id,
    name: options.name,
    kind: 'model',
    ready: () => Promise.resolve(true),
    model: () => profile.model,
    profile: () => profile,
    async probe(signal) {
      const watch = createStallWatch(options.timeouts, signal)
      try {
        await list(watch.signal)
      } catch (error) {
        throw failureOf(error, watch, signal)
      } finally {
        watch.stop()
      }
    },
    async *stream(request, signal) {
      let reply: Exchange | null = null
      const watch = createStallWatch({ ...options.timeouts, ...request.timeouts }, signal, () => reply?.hangUp(STALLED))
      const answer = createAnswer()
      try {
        const model = profile.model ?? (await choose(watch.signal))
        const wanted = codec.request(request, model, profile)
        const reader = codec.reader()
        const feed = framing((data) => answer.read(reader, data))
        const body: Uint8Array[] = []
        const proof = authorise(wanted, request.caller)
        const call = dispatched(wanted, proof instanceof Promise ? await proof : proof)
        if (watch.stalledMs !== null) throw STALLED
        reply = exchange(pool, call, {
          signal,
          onBytes(bytes, status, isLast) {
            if (status !== 200) return keepSome(body, bytes)
            feed(bytes)
            if (isLast) return
            if (answer.isComplete) watch.closing(CLOSING_MS)
            else if (answer.hasMoved()) watch.progress()
          }
        })
        // Who waits for the whole is told of its beginning, then now and then: a failure must not take much with it.
        const everyMs = request.delivery === 'whole' ? WHOLE_TOLD_EVERY_MS : PIECE_TOLD_EVERY_MS
        let isTold = false
        try {
          while (await reply.more(isTold ? everyMs : 0)) {
            const parts = answer.take()
            isTold ||= parts.length > 0
            // Not `yield*`, which makes two promises more of each.
            for (const part of parts) yield part
          }
        } catch (error) {
          // Where the answer was complete, how its connection ended is no matter, and all of it is told.
          if (!answer.isComplete || signal.aborted) {
            // Text that came together with the failure was read by nobody: another provider can still begin.
            for (const part of answer.take()) if (part.type === 'usage') yield part
            throw error
          }
        }
        const { status, headers } = reply
        if (status !== 200) throw refusal({ status, headers, body: refusalBody(Buffer.concat(body).toString('utf8')) }, options)
        const last = answer.last(options.name)
        for (const part of answer.take()) yield part
        yield last
      } catch (error) {
        throw failureOf(error, watch, signal)
      } finally {
        reply?.hangUp()
        watch.stop()
      }
    },
    retire: () => pool.close(),
    stop: () => pool.destroy()
  }
}

interface Answer {
  readonly isComplete: boolean
  /** Whether there was a sign of the answer since the last time. */
  hasMoved(): boolean
  read(reader: AnswerReader, data: string): void
  /** What came since, pieces of text that came together joined to one. */
  take(): readonly ProviderPart[]
  /** Throws when the answer did not say how it ended. */
  last(name: string): ProviderPart
}

function createAnswer(): Answer {
  let text = ''
  let usage: ProviderUsage | null = null
  let finish: FinishReason | null = null
  let hasText = false
  let isComplete = false
  let isMoving = false
  const sink: AnswerSink = {
    text(piece) {
      if (piece === '') return
      text += piece
      hasText = true
      isMoving = true
    },
    alive() {
      isMoving = true
    },
    usage(next) {
      usage = next
    },
    finish(reason) {
      finish = reason
    },
    end() {
      isComplete = finish !== null
    }
  }
  return {
    get isComplete() {
      return isComplete
    },
    hasMoved() {
      const hasMoved = isMoving
      isMoving = false
      return hasMoved
    },
    read(reader, data) {
      if (!isComplete) reader.read(data, sink)
    },
    take() {
      const parts: ProviderPart[] = []
      if (text !== '') parts.push({ type: 'text', text })
      if (usage !== null) parts.push({ type: 'usage', ...usage })
      text = ''
      usage = null
      return parts
    },
    last(name) {
      if (finish !== null) return { type: 'finish', reason: finish }
      throw new ProviderFailure(hasText ? 'cut' : 'unavailable', `${name} broke off before its answer was complete.`)
    }
  }
}

/** Of a refusal, whose beginning says why. */
function keepSome(parts: Uint8Array[], bytes: Uint8Array): void {
  if (parts.reduce((size, part) => size + part.byteLength, 0) <= MOST_REFUSAL_BYTES) parts.push(bytes)
}

async function atMost(body: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.byteLength
    if (size > most) break
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

const networkCodes = /^(ECONN|ENOTFOUND|EAI_|EPIPE|ETIMEDOUT|EHOST|ENET|CERT_|UND_|HPE_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/

function transportFailure(error: unknown, name: string): unknown {
  if (error instanceof CopilotError) return error
  if (error instanceof MalformedAnswer) {
    return new ProviderFailure('unavailable', `${name} sent something that is not a streamed answer.`, { cause: error })
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (error instanceof errors.UndiciError || networkCodes.test(code)) {
    return new ProviderFailure('unavailable', `${name} can’t be reached (${code || 'connection lost'}).`, { cause: error })
  }
  return error
}
