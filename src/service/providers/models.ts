// What is known of language models by their names: how much they take and give, and how good they are. Pure.

export type Modality = 'text' | 'image' | 'audio' | 'document'

export interface ModelFacts {
  /** Tokens of prompt and answer together. */
  readonly contextWindow: number
  /** Most tokens of an answer. */
  readonly maxOutputTokens: number
  /** What it can be shown. */
  readonly modalities: readonly Modality[]
  /** False: the answer comes in one piece. */
  readonly streaming: boolean
  /** 0: no model; 1: quick and cheap; 2: good; 3: the best of its maker. A judgement of ours, for routing only. */
  readonly quality: 0 | 1 | 2 | 3
  /** Goes on by itself from an assistant's message at the end of the prompt; others are told to. */
  readonly prefill: boolean
  /** Thinks before it answers: takes no temperature, and its thoughts count as output. */
  readonly reasoning: boolean
}

const seeing: readonly Modality[] = ['text', 'image']
const everything: readonly Modality[] = ['text', 'image', 'audio', 'document']

/** A model nobody knows: small enough to be safe with most servers of one's own. */
const unknown: ModelFacts = {
  contextWindow: 8_192,
  maxOutputTokens: 2_048,
  modalities: ['text'],
  streaming: true,
  quality: 1,
  prefill: false,
  reasoning: false
}

/** First match wins. Windows and limits as their makers' documentation gives them (2026); overridable by configuration. */
const rules: readonly (readonly [RegExp, Partial<ModelFacts>])[] = [
  [/\bgpt-5[^/]*-(mini|nano)/, { contextWindow: 400_000, maxOutputTokens: 128_000, modalities: seeing, quality: 1, reasoning: true }],
  [/\bgpt-5/, { contextWindow: 400_000, maxOutputTokens: 128_000, modalities: seeing, quality: 3, reasoning: true }],
  [/\bo[134]-mini/, { contextWindow: 200_000, maxOutputTokens: 100_000, modalities: seeing, quality: 2, reasoning: true }],
  [/\bo[134]\b/, { contextWindow: 200_000, maxOutputTokens: 100_000, modalities: seeing, quality: 3, reasoning: true }],
  [/\bgpt-4\.1-(mini|nano)/, { contextWindow: 1_047_576, maxOutputTokens: 32_768, modalities: seeing, quality: 1 }],
  [/\bgpt-4\.1/, { contextWindow: 1_047_576, maxOutputTokens: 32_768, modalities: seeing, quality: 2 }],
  [/\bgpt-4o-mini/, { contextWindow: 128_000, maxOutputTokens: 16_384, modalities: seeing, quality: 1 }],
  [/\bgpt-4o/, { contextWindow: 128_000, maxOutputTokens: 16_384, modalities: seeing, quality: 2 }],
  [/\bgpt-4-turbo/, { contextWindow: 128_000, maxOutputTokens: 4_096, modalities: seeing, quality: 2 }],
  [/\bgpt-3\.5/, { contextWindow: 16_385, maxOutputTokens: 4_096, quality: 1 }],
  // Anthropic's models from 4.6 on refuse a prefilled answer.
  [/claude-(opus|sonnet|fable)-(4-[6-9]|[5-9])/, { contextWindow: 200_000, maxOutputTokens: 64_000, modalities: seeing, quality: 3 }],
  [/claude-opus-4-[15]/, { contextWindow: 200_000, maxOutputTokens: 32_000, modalities: seeing, quality: 3, prefill: true }],
  [/claude-opus/, { contextWindow: 200_000, maxOutputTokens: 32_000, modalities: seeing, quality: 3, prefill: true }],
  [/claude-(sonnet-4|3-7-sonnet)/, { contextWindow: 200_000, maxOutputTokens: 64_000, modalities: seeing, quality: 3, prefill: true }],
  [/claude-haiku-[4-9]/, { contextWindow: 200_000, maxOutputTokens: 64_000, modalities: seeing, quality: 2, prefill: true }],
  [/claude-3-opus/, { contextWindow: 200_000, maxOutputTokens: 4_096, modalities: seeing, quality: 2, prefill: true }],
  [/claude-3-5-/, { contextWindow: 200_000, maxOutputTokens: 8_192, modalities: seeing, quality: 2, prefill: true }],
  [/claude-3-/, { contextWindow: 200_000, maxOutputTokens: 4_096, modalities: seeing, quality: 1, prefill: true }],
  [/gemini-[^/]*flash-lite/, { contextWindow: 1_048_576, maxOutputTokens: 65_536, modalities: everything, quality: 1 }],
  [/gemini-(2\.0|1\.5)/, { contextWindow: 1_048_576, maxOutputTokens: 8_192, modalities: everything, quality: 1 }],
  [/gemini-[^/]*flash/, { contextWindow: 1_048_576, maxOutputTokens: 65_536, modalities: everything, quality: 2 }],
  [/gemini-[^/]*pro/, { contextWindow: 1_048_576, maxOutputTokens: 65_536, modalities: everything, quality: 3 }],
  [/nova-micro/, { contextWindow: 128_000, maxOutputTokens: 5_000, quality: 1 }],
  [/nova-(lite|pro)/, { contextWindow: 300_000, maxOutputTokens: 5_000, modalities: ['text', 'image', 'document'], quality: 2 }],
  [/llama-?3[.-]?[123]/, { contextWindow: 128_000, maxOutputTokens: 4_096, quality: 1 }],
  [/mistral-large|mixtral/, { contextWindow: 32_768, maxOutputTokens: 8_192, quality: 2 }]
]

/** For models of servers of one's own, behind any prefix (`us.anthropic.`, `models/`); what nobody knows is taken for small. */
export function modelFacts(model: string | null, overrides: Partial<ModelFacts> = {}): ModelFacts {
  const name = model?.toLowerCase() ?? ''
  const found = rules.find(([pattern]) => pattern.test(name))?.[1] ?? {}
  return { ...unknown, ...found, ...overrides }
}

/** No model at all: whatever fits is answered from what was gathered. */
export const noModel: ModelFacts = {
  ...unknown,
  contextWindow: Number.MAX_SAFE_INTEGER,
  maxOutputTokens: Number.MAX_SAFE_INTEGER,
  quality: 0
}
