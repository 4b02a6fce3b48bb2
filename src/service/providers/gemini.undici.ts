// Google's Gemini: streamGenerateContent as server-sent events. It has no end mark of its own; the finish reason is one.
import type { FinishReason } from '../../shared/turn.ts'
import { createAnswers, type AnswersOptions, type UpstreamProvider } from './answers.undici.ts'
import { MalformedAnswer, type AnswerReader, type AnswerSink, type Codec } from './codec.ts'
import { ProviderFailure } from './failure.ts'
import { serverSentEvents } from './framing.ts'
import { countOf, fieldsOf, listOf, parseJson, textOf, type Fields } from './json.ts'
import type { ProviderCaller } from './provider.ts'
import { shapePrompt } from './shape.ts'
import { refusal, type Setup } from './upstreamFailure.ts'

export type GeminiOptions = Omit<AnswersOptions, 'keySetting' | 'modelSetting' | 'urlSetting'> & {
  readonly apiKey: (caller: ProviderCaller | undefined) => string | null
}

const setting = { keySetting: 'GEMINI_API_KEY', modelSetting: 'GEMINI_MODEL', urlSetting: 'GEMINI_BASE_URL' }
const filtered: ReadonlySet<string> = new Set(['SAFETY', 'RECITATION', 'LANGUAGE', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'IMAGE_SAFETY'])

/** `baseUrl` without a version path: `https://generativelanguage.googleapis.com`. */
export function createGeminiProvider(options: GeminiOptions): UpstreamProvider {
  return createAnswers(
    { ...options, ...setting },
    {
      codec: geminiCodec({ ...options, ...setting }),
      framing: serverSentEvents,
      authorise(_call, caller) {
        const key = options.apiKey(caller)
        if (key === null) throw new ProviderFailure('unauthenticated', `There is no key for ${options.name}. Set ${setting.keySetting}.`)
        // In a header: an address would be kept in logs on the way.
        return { 'x-goog-api-key': key }
      }
    }
  )
}

export function geminiCodec(setup: Setup): Codec {
  return {
    request({ prompt, maxOutputTokens, temperature }, model, { prefill }) {
      const { instructions, messages } = shapePrompt(prompt, { prefill })
      return {
        method: 'POST',
        path: `/v1beta/models/${encodeURIComponent(model.replace(/^models\//, ''))}:streamGenerateContent?alt=sse`,
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({
          contents: messages.map(({ role, content }) => ({ role: role === 'assistant' ? 'model' : 'user', parts: [{ text: content }] })),
          ...(instructions === null ? {} : { systemInstruction: { parts: [{ text: instructions }] } }),
          generationConfig: {
            ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
            ...(temperature === undefined ? {} : { temperature })
          }
        })
      }
    },
    reader: () => geminiReader(setup),
    probe: { method: 'GET', path: '/v1beta/models?pageSize=50', headers: { accept: 'application/json' } },
    models: (body) =>
      listOf(fieldsOf(body)?.['models'])
        .map((entry) => fieldsOf(entry) ?? {})
        .filter((model) => listOf(model['supportedGenerationMethods']).includes('generateContent'))
        .map((model) => textOf(model['name']).replace(/^models\//, ''))
        .filter((name) => name !== '')
  }
}

function geminiReader(setup: Setup): AnswerReader {
  return {
    read(data, sink) {
      const chunk = fieldsOf(parseJson(data))
      if (chunk === null || !(chunk['candidates'] === undefined || Array.isArray(chunk['candidates']))) throw new MalformedAnswer('not a chunk')
      if (chunk['error'] !== undefined) throw refusal({ status: 0, body: chunk }, setup)
      const blocked = textOf(fieldsOf(chunk['promptFeedback'])?.['blockReason'])
      if (blocked !== '') throw new ProviderFailure('refused', `${setup.name} refused this question by its content rules. Put it in other words.`)
      const candidate = fieldsOf(listOf(chunk['candidates'])[0])
      for (const part of listOf(fieldsOf(candidate?.['content'])?.['parts'])) readPart(fieldsOf(part), sink)
      const usage = fieldsOf(chunk['usageMetadata'])
      if (usage !== null) sink.usage(usageOf(usage, textOf(chunk['modelVersion'])))
      const reason = textOf(candidate?.['finishReason'])
      if (reason !== '') sink.finish(finishOf(reason, setup))
    }
  }
}

function readPart(part: Fields | null, sink: AnswerSink): void {
  if (part === null) return
  if (part['thought'] === true) sink.alive()
  else sink.text(textOf(part['text']))
}

function finishOf(reason: string, { name }: Setup): FinishReason {
  if (reason === 'STOP') return 'stop'
  if (reason === 'MAX_TOKENS') return 'length'
  if (filtered.has(reason)) return 'filtered'
  throw new ProviderFailure('unavailable', `${name} gave up its answer.`)
}

function usageOf(usage: Fields, model: string) {
  return {
    inputTokens: countOf(usage['promptTokenCount']) + countOf(usage['toolUsePromptTokenCount']),
    outputTokens: countOf(usage['candidatesTokenCount']) + countOf(usage['thoughtsTokenCount']),
    cachedTokens: countOf(usage['cachedContentTokenCount']),
    ...(model === '' ? {} : { model })
  }
}
