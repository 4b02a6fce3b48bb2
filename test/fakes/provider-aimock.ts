// Every maker's API from one independent mock (@copilotkit/aimock) on a real socket, with our providers pointed at it, and the
// faults that it can be told to have. Shared by the contract suite and the conformance run.
import { LLMock } from '@copilotkit/aimock'
import { createAnthropicProvider } from '../../src/service/providers/anthropic.undici.ts'
import { createBedrockProvider } from '../../src/service/providers/bedrock.undici.ts'
import { createGeminiProvider } from '../../src/service/providers/gemini.undici.ts'
import { createOllamaProvider } from '../../src/service/providers/ollama.undici.ts'
import { createOpenAiProvider } from '../../src/service/providers/openai.undici.ts'
import type { Provider, ProviderRequest } from '../../src/service/providers/provider.ts'
import { fakeClock, never } from './service-parts.ts'

export const makers = ['openai', 'compatible', 'anthropic', 'gemini', 'bedrock', 'ollama'] as const
export type Maker = (typeof makers)[number]

export const MOCK_ANSWER = 'Harbor keeps objects in Zürich \u{1F6A2}. It is cheap, and it never loses one.'
/** A key that must not be seen anywhere but in a header. */
export const MOCK_KEY = 'sk-secret-1234567890'

/** A question about one of these gets its fault; any other is answered. */
export const faults = ['429', '500', '529', 'silent', 'hang', 'cut', 'malformed', 'auth'] as const
export type Fault = (typeof faults)[number]

export interface MockedProvider extends AsyncDisposable {
  readonly mock: LLMock
  readonly provider: Provider & { stop(): Promise<void> }
}

export interface MockTimes {
  readonly firstTextMs: number
  readonly betweenTextMs: number
}

const USAGE = { prompt_tokens: 100, completion_tokens: 20, input_tokens: 100, output_tokens: 20, promptTokenCount: 100, candidatesTokenCount: 20 }

export async function mockedProvider(maker: Maker, timeouts: MockTimes = { firstTextMs: 2_000, betweenTextMs: 2_000 }): Promise<MockedProvider> {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent', chunkSize: 12, latency: 5 })
  const answer = { content: MOCK_ANSWER, usage: USAGE }
  const refuse = (fault: Fault, status: number, type: string): void =>
    void mock.onMessage(`fault ${fault}`, { error: { message: `no: ${MOCK_KEY}`, type }, status, retryAfter: 7 })
  refuse('429', 429, 'rate_limit_error')
  refuse('500', 500, 'server_error')
  refuse('529', 529, 'overloaded_error')
  refuse('auth', 401, 'authentication_error')
  mock.onMessage('fault silent', answer, { streamingProfile: { ttft: 60_000 } })
  mock.onMessage('fault hang', answer, { streamingProfile: { ttft: 1, tps: 0.02 } })
  mock.onMessage('fault cut', answer, { truncateAfterChunks: 4, latency: 5 })
  mock.onMessage('fault malformed', answer, { chaos: { malformedRate: 1 } })
  mock.onMessage(/.*/s, answer)
  await mock.start()
  const provider = providerFor(maker, mock.url.replace(/\/$/, ''), timeouts)
  // One that is found by itself has to be looked for first.
  if (maker === 'ollama' && !(await provider.ready(never))) throw new Error('the mock was not found')
  return {
    mock,
    provider,
    async [Symbol.asyncDispose]() {
      await provider.stop()
      await mock.stop()
    }
  }
}

function providerFor(maker: Maker, url: string, timeouts: MockTimes): MockedProvider['provider'] {
  const common = { connectTimeoutMs: 1_000, connections: 16, timeouts, apiKey: () => MOCK_KEY }
  switch (maker) {
    case 'openai':
      return createOpenAiProvider({ ...common, id: 'openai', name: 'OpenAI', baseUrl: `${url}/v1`, model: 'gpt-4o', priceKey: 'openai' })
    case 'compatible':
      return createOpenAiProvider({
        ...common,
        apiKey: () => null,
        id: 'own',
        name: 'Our server',
        baseUrl: `${url}/v1`,
        model: 'llama3',
        priceKey: null
      })
    case 'anthropic':
      return createAnthropicProvider({
        ...common,
        id: 'anthropic',
        name: 'Anthropic',
        baseUrl: url,
        model: 'claude-sonnet-4-5',
        priceKey: 'anthropic'
      })
    case 'gemini':
      return createGeminiProvider({ ...common, id: 'gemini', name: 'Gemini', baseUrl: url, model: 'gemini-2.5-flash', priceKey: 'google' })
    case 'bedrock':
      return createBedrockProvider({
        ...common,
        id: 'bedrock',
        name: 'Bedrock',
        baseUrl: url,
        model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
        priceKey: 'aws',
        region: 'eu-central-1',
        credentials: () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: MOCK_KEY }),
        clock: fakeClock()
      })
    case 'ollama':
      return createOllamaProvider({ ...common, url, model: 'gpt-4o', clock: fakeClock() })
  }
}

export const mockRequest = (question: string): ProviderRequest => ({
  question,
  quickAction: undefined,
  history: [],
  material: { passages: [], terms: [], estimate: [], sources: [] },
  prompt: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: question }
  ]
})
