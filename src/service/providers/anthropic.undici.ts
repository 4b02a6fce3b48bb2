// Anthropic's messages. Its usage comes in two parts: the prompt's at the start, the answer's at the end.
import type { FinishReason } from '../../shared/turn.ts'
import { createAnswers, type AnswersOptions, type UpstreamProvider } from './answers.undici.ts'
import { MalformedAnswer, type AnswerReader, type Codec } from './codec.ts'
import { ProviderFailure } from './failure.ts'
import { serverSentEvents } from './framing.ts'
import { countOf, fieldsOf, listOf, parseJson, textOf, type Fields } from './json.ts'
import type { ProviderCaller } from './provider.ts'
import { shapePrompt } from './shape.ts'
import { createTextTemplates } from './textTemplate.ts'
import { refusal, type Setup } from './upstreamFailure.ts'

export type AnthropicOptions = Omit<AnswersOptions, 'keySetting' | 'modelSetting' | 'urlSetting'> & {
  readonly apiKey: (caller: ProviderCaller | undefined) => string | null
}

const setting = { keySetting: 'ANTHROPIC_API_KEY', modelSetting: 'ANTHROPIC_MODEL', urlSetting: 'ANTHROPIC_BASE_URL' }
const finishes: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'filtered'
}
const version = { 'anthropic-version': '2023-06-01' }
/** The protocol wants a limit; a copilot's answers are far below this one. */
const OUTPUT_TOKENS = 4_096

/** `baseUrl` without a version path: `https://api.anthropic.com`. */
export function createAnthropicProvider(options: AnthropicOptions): UpstreamProvider {
  return createAnswers(
    { ...options, ...setting },
    {
      codec: anthropicCodec({ ...options, ...setting }),
      framing: serverSentEvents,
      authorise(_call, caller) {
        const key = options.apiKey(caller)
        if (key === null) throw new ProviderFailure('unauthenticated', `There is no key for ${options.name}. Set ${setting.keySetting}.`)
        return { 'x-api-key': key }
      }
    }
  )
}

export function anthropicCodec(setup: Setup): Codec {
  const templated = createTextTemplates({ text: 'text' })
  return {
    request({ prompt, maxOutputTokens, temperature }, model, { prefill, maxOutputTokens: most }) {
      const { instructions, messages } = shapePrompt(prompt, { prefill })
      return {
        method: 'POST',
        path: '/v1/messages',
        headers: { ...version, 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({
          model,
          max_tokens: Math.min(maxOutputTokens ?? OUTPUT_TOKENS, most),
          ...(instructions === null ? {} : { system: instructions }),
          messages,
          stream: true,
          ...(temperature === undefined ? {} : { temperature: Math.min(temperature, 1) })
        })
      }
    },
    reader: () => templated(anthropicReader(setup)),
    probe: { method: 'GET', path: '/v1/models', headers: { ...version, accept: 'application/json' } },
    models: (body) =>
      listOf(fieldsOf(body)?.['data'])
        .map((entry) => textOf(fieldsOf(entry)?.['id']))
        .filter((id) => id !== '')
  }
}

function anthropicReader(setup: Setup): AnswerReader {
  let input: Fields = {}
  let model = ''
  return {
    read(data, sink) {
      const event = fieldsOf(parseJson(data))
      if (event === null || typeof event['type'] !== 'string') throw new MalformedAnswer('not an event')
      const count = (usage: Fields | null): void => {
        // A later event repeats only what has changed.
        input = { ...input, ...usage }
        const cachedTokens = countOf(input['cache_read_input_tokens'])
        const cacheWriteTokens = countOf(input['cache_creation_input_tokens'])
        sink.usage({
          inputTokens: countOf(input['input_tokens']) + cachedTokens + cacheWriteTokens,
          outputTokens: countOf(input['output_tokens']),
          cachedTokens,
          ...(cacheWriteTokens === 0 ? {} : { cacheWriteTokens }),
          ...(model === '' ? {} : { model })
        })
      }
      switch (event['type']) {
        case 'content_block_delta': {
          const delta = fieldsOf(event['delta'])
          if (delta?.['type'] === 'text_delta') sink.text(textOf(delta['text']))
          else sink.alive()
          return
        }
        case 'message_start': {
          const message = fieldsOf(event['message'])
          model = textOf(message?.['model'])
          return count(fieldsOf(message?.['usage']))
        }
        case 'message_delta': {
          const reason = textOf(fieldsOf(event['delta'])?.['stop_reason'])
          if (reason !== '') sink.finish(finishes[reason] ?? 'stop')
          return count(fieldsOf(event['usage']))
        }
        case 'message_stop':
          return sink.end()
        case 'error':
          throw refusal({ status: 0, body: event }, setup)
        default:
          // Pings, block borders, and what the protocol may add: it asks clients to pass over unknown events.
          return
      }
    }
  }
}
