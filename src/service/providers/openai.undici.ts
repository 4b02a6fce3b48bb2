// OpenAI's chat completions, and any server that speaks them (Ollama, vLLM, LM Studio, Groq, Mistral, …). An own codec because
// it costs a tenth of a library's (docs/adr).
import type { FinishReason } from '../../shared/turn.ts'
import { createAnswers, type AnswersOptions, type UpstreamProvider } from './answers.undici.ts'
import { MalformedAnswer, type AnswerReader, type Codec } from './codec.ts'
import { serverSentEvents } from './framing.ts'
import { countOf, fieldsOf, listOf, parseJson, textOf, type Fields } from './json.ts'
import type { PromptMessage, ProviderCaller, ProviderUsage } from './provider.ts'
import { goingOn } from './shape.ts'
import { createTextTemplates } from './textTemplate.ts'
import { refusal, type Setup } from './upstreamFailure.ts'

export type OpenAiOptions = Omit<AnswersOptions, 'keySetting' | 'modelSetting' | 'urlSetting'> & {
  /** Null: the server wants none. */
  readonly apiKey: (caller: ProviderCaller | undefined) => string | null
}

const setting = { keySetting: 'OPENAI_API_KEY', modelSetting: 'OPENAI_MODEL', urlSetting: 'OPENAI_BASE_URL' }
const finishes: Readonly<Record<string, FinishReason>> = { stop: 'stop', length: 'length', content_filter: 'filtered', eos: 'stop' }
const json = { 'content-type': 'application/json', accept: 'text/event-stream' }

export function createOpenAiProvider(options: OpenAiOptions): UpstreamProvider {
  const isOpenAi = new URL(options.baseUrl).host === 'api.openai.com'
  return createAnswers(
    { ...options, ...setting },
    {
      codec: openAiCodec({ ...options, ...setting }, isOpenAi),
      framing: serverSentEvents,
      authorise(_call, caller): Record<string, string> {
        const key = options.apiKey(caller)
        return key === null ? {} : { authorization: `Bearer ${key}` }
      }
    }
  )
}

/** `isOpenAi`: OpenAI's own service, which has renamed two things that other servers still call as before. */
export function openAiCodec(setup: Setup, isOpenAi: boolean): Codec {
  const templated = createTextTemplates({ text: 'content', padding: 'obfuscation', stamps: ['id', 'created'] })
  return {
    request({ prompt, maxOutputTokens, temperature }, model, { reasoning, prefill }) {
      return {
        method: 'POST',
        path: '/chat/completions',
        headers: json,
        body: JSON.stringify({
          model,
          messages: messagesFor(goingOn(prompt, { prefill }), isOpenAi && reasoning),
          stream: true,
          stream_options: { include_usage: true },
          ...(maxOutputTokens === undefined ? {} : { [isOpenAi ? 'max_completion_tokens' : 'max_tokens']: maxOutputTokens }),
          ...(temperature === undefined || reasoning ? {} : { temperature })
        })
      }
    },
    reader: () => templated(openAiReader(setup)),
    probe: { method: 'GET', path: '/models', headers: { accept: 'application/json' } },
    models: (body) =>
      listOf(fieldsOf(body)?.['data'])
        .map((entry) => textOf(fieldsOf(entry)?.['id']))
        .filter((id) => id !== '' && !/embed|whisper|tts|rerank|moderation|dall-e|sora|image|audio|realtime/i.test(id))
  }
}

/** Reasoning models of OpenAI take their instructions from the developer. */
function messagesFor(prompt: readonly PromptMessage[], isDeveloper: boolean): readonly object[] {
  return prompt.map(({ role, content }) => ({ role: role === 'system' && isDeveloper ? 'developer' : role, content: content.toWellFormed() }))
}

function openAiReader(setup: Setup): AnswerReader {
  return {
    read(data, sink) {
      if (data.trim() === '[DONE]') return sink.end()
      const chunk = fieldsOf(parseJson(data))
      if (chunk === null || !(chunk['choices'] === undefined || Array.isArray(chunk['choices']))) throw new MalformedAnswer('not a chunk')
      if (chunk['error'] !== undefined && chunk['error'] !== null) throw refusal({ status: 0, body: chunk }, setup)
      const choice = fieldsOf(listOf(chunk['choices'])[0])
      const delta = fieldsOf(choice?.['delta'])
      if (delta !== null) {
        sink.text(textOf(delta['content']) + textOf(delta['refusal']))
        if (textOf(delta['reasoning_content']) + textOf(delta['reasoning']) !== '') sink.alive()
      }
      const reason = textOf(choice?.['finish_reason'])
      if (reason !== '') sink.finish(finishes[reason] ?? 'stop')
      const usage = fieldsOf(chunk['usage'])
      if (usage !== null) sink.usage(usageOf(usage, textOf(chunk['model'])))
    }
  }
}

function usageOf(usage: Fields, model: string): ProviderUsage {
  const details = fieldsOf(usage['prompt_tokens_details'])
  return {
    inputTokens: countOf(usage['prompt_tokens']),
    outputTokens: countOf(usage['completion_tokens']),
    // DeepSeek has a name of its own for it.
    cachedTokens: countOf(details?.['cached_tokens']) || countOf(usage['prompt_cache_hit_tokens']),
    ...(model === '' ? {} : { model })
  }
}
