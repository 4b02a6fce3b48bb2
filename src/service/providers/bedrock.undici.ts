// AWS Bedrock's ConverseStream: signed requests, answers in AWS's binary frames. AWS's own signer and frame codec on our own
// connections; why not its client: docs/adr.
import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Clock } from '../../shared/kit/clock.ts'
import type { FinishReason } from '../../shared/turn.ts'
import { createAnswers, type AnswersOptions, type Authorise, type UpstreamProvider } from './answers.undici.ts'
import { MalformedAnswer, type AnswerReader, type AnswerSink, type Codec } from './codec.ts'
import { ProviderFailure } from './failure.ts'
import { amazonEventStream } from './framing.ts'
import { countOf, fieldsOf, parseJson, textOf, type Fields } from './json.ts'
import type { ProviderCaller } from './provider.ts'
import { shapePrompt } from './shape.ts'
import { refusal, type Setup } from './upstreamFailure.ts'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export type BedrockOptions = Omit<AnswersOptions, 'keySetting' | 'modelSetting' | 'urlSetting' | 'model'> & {
  /** A model's or an inference profile's id: `eu.anthropic.claude-sonnet-4-5-20250929-v1:0`. */
  readonly model: string
  readonly region: string
  readonly credentials: (caller: ProviderCaller | undefined) => AwsCredentials | null
  readonly clock: Clock
}

const setting = { keySetting: 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY', modelSetting: 'BEDROCK_MODEL', urlSetting: 'AWS_REGION' }
const finishes: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  guardrail_intervened: 'filtered',
  content_filtered: 'filtered'
}

export function createBedrockProvider(options: BedrockOptions): UpstreamProvider {
  const setup = { ...options, ...setting }
  return createAnswers(setup, { codec: bedrockCodec(setup, options.model), framing: amazonEventStream, authorise: signer(options) })
}

function signer({ region, credentials, clock, baseUrl, name }: BedrockOptions): Authorise {
  const { protocol, host, hostname, pathname } = new URL(baseUrl)
  return async ({ method, path, headers, body }, caller) => {
    const identity = credentials(caller)
    if (identity === null) throw new ProviderFailure('unauthenticated', `There are no credentials for ${name}. Set ${setting.keySetting}.`)
    const signature = new SignatureV4({ service: 'bedrock', region, credentials: identity, sha256: Sha256 })
    const signed = await signature.sign(
      {
        method,
        protocol,
        hostname,
        path: pathname.replace(/\/$/, '') + path,
        headers: { ...headers, host },
        ...(body === undefined ? {} : { body })
      },
      { signingDate: new Date(clock.now()) }
    )
    return signed.headers
  }
}

/** Node's own hash in the shape that AWS's signer asks for. */
class Sha256 {
  readonly #hash

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', asBytes(secret))
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(asBytes(data))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  /** A hash of Node can't be used again, and the signer makes a new one for each. */
  reset(): void {
    throw new Error('not used')
  }
}

function asBytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8')
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
}

export function bedrockCodec(setup: Setup, model: string): Codec {
  const call = (name: string, body: object) => ({
    method: 'POST' as const,
    path: `/model/${encodeURIComponent(name)}/converse-stream`,
    headers: { 'content-type': 'application/json', accept: 'application/vnd.amazon.eventstream' },
    body: JSON.stringify(body)
  })
  return {
    request({ prompt, maxOutputTokens, temperature }, name, { prefill, maxOutputTokens: most, reasoning }) {
      const { instructions, messages } = shapePrompt(prompt, { prefill })
      return call(name, {
        messages: messages.map(({ role, content }) => ({ role, content: [{ text: content }] })),
        ...(instructions === null ? {} : { system: [{ text: instructions }] }),
        inferenceConfig: {
          ...(maxOutputTokens === undefined ? {} : { maxTokens: Math.min(maxOutputTokens, most) }),
          ...(temperature === undefined || reasoning ? {} : { temperature: Math.min(temperature, 1) })
        }
      })
    },
    reader: () => bedrockReader(setup),
    // The runtime has nothing that is free to ask. It checks the key before it finds that a conversation without messages is none.
    probe: call(model, { messages: [] }),
    probeAlso: 400,
    models: () => []
  }
}

function bedrockReader(setup: Setup): AnswerReader {
  return {
    read(data, sink) {
      const frame = fieldsOf(parseJson(data))
      if (frame === null) throw new MalformedAnswer('not JSON')
      const name = textOf(frame['name'])
      const payload = fieldsOf(frame['payload']) ?? {}
      if (frame['kind'] !== 'event') throw refusal({ status: 0, body: { error: { code: name, message: payload['message'] } } }, setup)
      readEvent(name, payload, sink)
    }
  }
}

function readEvent(name: string, payload: Fields, sink: AnswerSink): void {
  switch (name) {
    case 'contentBlockDelta': {
      const delta = fieldsOf(payload['delta'])
      if (typeof delta?.['text'] === 'string') sink.text(delta['text'])
      else sink.alive()
      return
    }
    case 'messageStop':
      return sink.finish(finishes[textOf(payload['stopReason'])] ?? 'stop')
    case 'metadata': {
      const usage = fieldsOf(payload['usage']) ?? {}
      const cachedTokens = countOf(usage['cacheReadInputTokens'])
      const cacheWriteTokens = countOf(usage['cacheWriteInputTokens'])
      return sink.usage({
        inputTokens: countOf(usage['inputTokens']) + cachedTokens + cacheWriteTokens,
        outputTokens: countOf(usage['outputTokens']),
        cachedTokens,
        ...(cacheWriteTokens === 0 ? {} : { cacheWriteTokens })
      })
    }
    default:
      // Borders of the message and its blocks, and what the protocol may add.
      return
  }
}
