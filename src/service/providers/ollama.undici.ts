// An Ollama on this machine, found by itself and asked through its OpenAI-compatible door. It may come and go while the
// service runs.
import { request } from 'undici'
import { z } from 'zod'
import type { Clock } from '../../shared/kit/clock.ts'
import type { UpstreamProvider } from './answers.undici.ts'
import { createOpenAiProvider } from './openai.undici.ts'
import { ProviderFailure } from './failure.ts'
import { modelFacts } from './models.ts'
import type { Provider, ProviderTimeouts } from './provider.ts'

export interface OllamaOptions {
  /** Without a slash at the end: `http://127.0.0.1:11434`. */
  readonly url: string
  /** Null: the first model it has that can chat. */
  readonly model: string | null
  readonly timeouts: ProviderTimeouts
  readonly connectTimeoutMs: number
  readonly connections: number
  readonly clock: Clock
}

const PROBE_TIMEOUT_MS = 400
/** How long a probe's answer holds. A question never waits for a later one than the first. */
const PROBE_VALID_MS = 15_000
const tagsSchema = z.object({ models: z.array(z.object({ name: z.string() })) })

export function createOllamaProvider(options: OllamaOptions): Provider & { stop(): Promise<void> } {
  const { url, clock } = options
  let inner: UpstreamProvider | null = null
  let isThere = false
  let probedAt = Number.NEGATIVE_INFINITY
  let probing: Promise<void> | null = null
  const stopped = new AbortController()
  const retired = new Set<Promise<void>>()

  const use = (model: string): void => {
    if (inner?.model() === model) return
    const old = inner
    inner = createOpenAiProvider({ ...options, id: 'ollama', name: 'Ollama', baseUrl: `${url}/v1`, apiKey: () => null, priceKey: null, model })
    if (old !== null) retired.add(old.retire())
  }

  /** The model in use stays while it is there: its answers may be on their way. */
  const choose = (names: readonly string[]): string | undefined =>
    names.find((name) => name === inner?.model()) ??
    names.find((name) => name === options.model || name === `${options.model}:latest`) ??
    names.find((name) => !/embed|bert/i.test(name))

  const probe = async (): Promise<void> => {
    let model: string | undefined
    try {
      const { statusCode, body } = await request(`${url}/api/tags`, {
        signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)])
      })
      const tags = tagsSchema.safeParse(statusCode === 200 ? await body.json() : await body.dump())
      model = choose(tags.success ? tags.data.models.map(({ name }) => name) : [])
    } catch (error) {
      // Nobody there, or not an Ollama: both mean that there is no model, which is an answer and no failure.
      if (!(error instanceof Error)) throw error
    }
    probedAt = clock.now()
    isThere = model !== undefined
    if (model !== undefined && !stopped.signal.aborted) use(model)
  }

  const look = (): Promise<void> => {
    probing ??= probe().finally(() => {
      probing = null
    })
    return probing
  }

  return {
    id: 'ollama',
    name: 'Ollama',
    kind: 'model',
    async ready() {
      const age = clock.now() - probedAt
      if (age > PROBE_VALID_MS) {
        const looking = look()
        if (age === Number.POSITIVE_INFINITY) await looking
        else void looking.catch(() => undefined)
      }
      return isThere
    },
    model: () => inner?.model() ?? null,
    profile: () =>
      inner?.profile() ?? {
        ...modelFacts(null),
        model: null,
        priceKey: null,
        timeouts: options.timeouts
      },
    async probe() {
      await look()
      if (!isThere) throw new ProviderFailure('unavailable', 'No Ollama answers here. Start it, and load a model that can chat.')
    },
    async *stream(question, signal) {
      if (inner === null) throw new ProviderFailure('unavailable', 'No Ollama answers here. Start it, and load a model that can chat.')
      yield* inner.stream(question, signal)
    },
    async stop() {
      stopped.abort()
      await probing
      await inner?.stop()
      await Promise.all(retired)
    }
  }
}
