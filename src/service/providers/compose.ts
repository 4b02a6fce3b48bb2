// The providers of a running service, in the order of preference, with their keys. Which of them can answer changes while it
// runs: one without a key is not ready, and is once its key is set.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Audit } from '../audit/audit.ts'
import type { ServiceConfig } from '../config.ts'
import type { ModelPriceBook } from '../cost/modelPrices.ts'
import { openKeyFile, type KeyName } from '../keys/keyFile.ts'
import { awsCredentials, createKeyRing, type KeyRing } from '../keys/keyRing.ts'
import type { Logger } from '../logging.ts'
import { createAnthropicProvider } from './anthropic.undici.ts'
import { createBedrockProvider } from './bedrock.undici.ts'
import { createCanister } from './canister.ws.ts'
import { createGeminiProvider } from './gemini.undici.ts'
import { createLocalKnowledge } from './localKnowledge.ts'
import { createOllamaProvider } from './ollama.undici.ts'
import { createOpenAiProvider } from './openai.undici.ts'
import type { ModelFacts } from './models.ts'
import type { Provider, ProviderCaller } from './provider.ts'
import { createRemoteCopilot } from './remoteCopilot.grpc.ts'

export interface ProvidersOptions {
  readonly config: ServiceConfig
  readonly prices: ModelPriceBook | null
  readonly audit: Audit
  readonly clock: Clock
  readonly logger: Logger
}

const OPENAI = 'https://api.openai.com/v1'
/** A server of one's own usually has one model; OpenAI has many, so one must be named. */
const OPENAI_MODEL = 'gpt-4o-mini'

/** What is started is stopped with `started`. Throws `CopilotError` when the file of keys can't be read. */
export async function createProviders(options: ProvidersOptions, started: AsyncDisposableStack): Promise<readonly Provider[]> {
  const { config, audit, clock, logger } = options
  const file = await openKeyFile(config.keysDir)
  const ring = await createKeyRing({ file, fallback: config.upstreams.keys, audit, clock, logger })
  started.defer(() => ring.stop())
  const kept = <P extends Provider & { stop(): Promise<void> }>(provider: P): P => {
    started.defer(() => provider.stop())
    return provider
  }
  const models = [...makers(options, ring), ...others(options, ring)].map(kept)
  return config.localKnowledge ? [...models, createLocalKnowledge()] : models
}

type Stoppable = Provider & { stop(): Promise<void> }

function makers({ config, prices, clock }: ProvidersOptions, ring: KeyRing): readonly Stoppable[] {
  const { connectTimeoutMs, poolSize: connections } = config
  const common = { timeouts: timeoutsOf(config), connectTimeoutMs, connections }
  const keyOf = (name: KeyName) => (caller: ProviderCaller | undefined) => ring.take(name, caller?.organisation ?? null)
  const facts = (priceKey: string | null, model: string | null): { facts: Partial<ModelFacts>; priceKey: string | null } => {
    const contextWindow = priceKey === null || model === null ? null : (prices?.contextWindow(priceKey, model) ?? null)
    return { priceKey, facts: contextWindow === null ? {} : { contextWindow } }
  }
  const { openai, upstreams } = config
  const { anthropic, gemini, bedrock } = upstreams
  const baseUrl = openai?.baseUrl ?? OPENAI
  const isOpenAi = baseUrl === OPENAI
  const model = upstreams.openaiModel ?? (isOpenAi ? OPENAI_MODEL : null)
  const list: Stoppable[] = [
    withKey(
      createOpenAiProvider({
        ...common,
        ...facts(prices?.providerAt(baseUrl) ?? (isOpenAi ? 'openai' : null), model),
        id: 'openai',
        name: isOpenAi ? 'OpenAI' : `The model server at ${new URL(baseUrl).host}`,
        baseUrl,
        model,
        apiKey: keyOf('openai')
      }),
      // A server of one's own may want no key.
      () => !isOpenAi || ring.has('openai')
    ),
    withKey(
      createAnthropicProvider({
        ...common,
        ...facts('anthropic', anthropic.model),
        ...anthropic,
        id: 'anthropic',
        name: 'Anthropic',
        apiKey: keyOf('anthropic')
      }),
      () => ring.has('anthropic')
    ),
    withKey(
      createGeminiProvider({ ...common, ...facts('google', gemini.model), ...gemini, id: 'gemini', name: 'Google Gemini', apiKey: keyOf('gemini') }),
      () => ring.has('gemini')
    )
  ]
  if (bedrock !== null) {
    const credentials = (caller: ProviderCaller | undefined) => {
      const secret = keyOf('aws')(caller)
      return secret === null ? null : awsCredentials(secret)
    }
    list.push(
      withKey(
        createBedrockProvider({ ...common, ...facts('aws', bedrock.model), ...bedrock, id: 'bedrock', name: 'AWS Bedrock', credentials, clock }),
        () => ring.has('aws')
      )
    )
  }
  return list
}

function others({ config, clock }: ProvidersOptions, ring: KeyRing): readonly Stoppable[] {
  const { upstreams, openai, ollamaUrl, connectTimeoutMs, poolSize: connections } = config
  const timeouts = timeoutsOf(config)
  const list: Stoppable[] = []
  if (upstreams.remote.hosts.length > 0) {
    const token = (caller: ProviderCaller | undefined) => ring.take('remote', caller?.organisation ?? null)
    list.push(createRemoteCopilot({ ...upstreams.remote, id: 'remote', name: 'The remote copilot', token, poolSize: connections, timeouts }))
  }
  if (upstreams.canisterUrl !== null) {
    const url = upstreams.canisterUrl
    const timeoutMs = config.upstreamTimeoutMs
    list.push(
      createCanister({ id: 'canister', name: 'The canister', url, timeoutMs, connectTimeoutMs, clock, newId: randomUUID, random: Math.random })
    )
  }
  if (ollamaUrl !== null)
    list.push(createOllamaProvider({ url: ollamaUrl, model: openai?.model ?? null, timeouts, connectTimeoutMs, connections, clock }))
  return list
}

function timeoutsOf({ upstreams, upstreamTimeoutMs }: ServiceConfig) {
  return { firstTextMs: upstreams.firstTextTimeoutMs, betweenTextMs: upstreamTimeoutMs }
}

/** Not asked while its key is missing. */
function withKey(provider: Stoppable, hasKey: () => boolean): Stoppable {
  return { ...provider, ready: (signal) => (hasKey() ? provider.ready(signal) : Promise.resolve(false)) }
}
