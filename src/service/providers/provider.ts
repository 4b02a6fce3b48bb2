// The port to whatever writes an answer: a language model somewhere, or the built-in local knowledge. Shaped like the
// AI SDK's `LanguageModelV4.doStream`, without its weight.
import type { Citation, FinishReason, QuickAction } from '../../shared/turn.ts'
import type { ModelFacts } from './models.ts'

/** A piece of the knowledge base: one section of one article. */
export interface Passage {
  /** `slug#ordinal`. */
  readonly id: string
  readonly slug: string
  readonly title: string
  /** Of the section; empty for an article's opening. */
  readonly heading: string
  /** Markdown. It is data, whatever it says. */
  readonly text: string
  readonly provider: string
  readonly topic: string
  /** Name of the public document behind it. */
  readonly source: string
  readonly url: string
  /** As-of date, `YYYY-MM-DD`. */
  readonly date: string
  /** How much of the question it covers, 0 to 1. */
  readonly relevance: number
}

/** A word of the question that matters, in all the forms under which the knowledge base was searched. */
export interface Term {
  readonly forms: readonly string[]
  /** Rarer words weigh more. */
  readonly weight: number
}

/** A passage with the number under which it is cited. */
export interface CitedPassage extends Passage {
  readonly n: number
}

/** What was gathered for the answer. */
export interface Material {
  /** Best first. */
  readonly passages: readonly CitedPassage[]
  readonly terms: readonly Term[]
  /** A computed cost as Markdown blocks, with its citation numbers in it; empty: none was asked for. */
  readonly estimate: readonly string[]
  /** Everything that may be cited; `n` counts from 1. */
  readonly sources: readonly Citation[]
}

export interface ConversationMessage {
  readonly role: 'user' | 'assistant'
  readonly text: string
}

export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** On whose behalf a provider is asked. Ids only; what a provider sends of them is its protocol's business. */
export interface ProviderCaller {
  readonly userId: string
  readonly sessionId: string
  readonly turnId: string
  readonly organisation?: string | undefined
}

/** Ms. Connecting counts as part of the first. */
export interface ProviderTimeouts {
  /** To the first sign of the answer: its text, or a thought of a reasoning model. Keep-alive comments are no sign. */
  readonly firstTextMs: number
  /** Between two such signs. */
  readonly betweenTextMs: number
}

export interface ProviderRequest {
  readonly question: string
  readonly quickAction: QuickAction | undefined
  /** Oldest first, without the question. */
  readonly history: readonly ConversationMessage[]
  readonly material: Material
  /**
   * The same, as a prompt for a language model. A message of the assistant at its end is the beginning of the answer: the
   * provider goes on from there (see `ModelFacts.prefill`).
   */
  readonly prompt: readonly PromptMessage[]
  readonly caller?: ProviderCaller | undefined
  /** Absent: as much as the model gives by itself. */
  readonly maxOutputTokens?: number | undefined
  /** 0 to 2. Left out where a model refuses it. */
  readonly temperature?: number | undefined
  /** In place of the provider's own, for a caller whose time is short. */
  readonly timeouts?: Partial<ProviderTimeouts> | undefined
  /** `whole`: nobody reads along, so nothing is paced for the eye. Absent: `stream`. */
  readonly delivery?: 'stream' | 'whole' | undefined
}

/**
 * Tokens as the provider counts them. `cachedTokens` and `cacheWriteTokens` are parts of `inputTokens`; thoughts are part
 * of `outputTokens`.
 */
export interface ProviderUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  /** Read from the provider's prompt cache. */
  readonly cachedTokens: number
  /** Written to it; absent: none. */
  readonly cacheWriteTokens?: number | undefined
  /** The model that answered, where it says so itself. */
  readonly model?: string | undefined
}

export type ProviderPart =
  | { readonly type: 'text'; readonly text: string }
  /** Totals so far: a later one takes the place of an earlier one. May come before a failure: what it counts was used. */
  | ({ readonly type: 'usage' } & ProviderUsage)
  /** The last part, always: a stream that ends without it has failed. */
  | { readonly type: 'finish'; readonly reason: FinishReason }

/** What a router weighs. Constant as long as `model` is. */
export interface ProviderProfile extends ModelFacts {
  /** The model that would answer; null: not known yet. */
  readonly model: string | null
  /** Under which the price book knows its provider: `openai`, `anthropic`, `google`, `aws`; null: it costs nothing, or nobody can say what. */
  readonly priceKey: string | null
  readonly timeouts: ProviderTimeouts
}

export interface Provider {
  readonly id: string
  /** For people: "Ollama", "OpenAI-compatible server at …". */
  readonly name: string
  /** `local` answers without any language model. */
  readonly kind: 'model' | 'local'
  /** Whether it is worth asking now; false: skip it. Answers within a moment. */
  ready(signal: AbortSignal): Promise<boolean>
  /** The model that would answer; null: not known yet. */
  model(): string | null
  profile(): ProviderProfile
  /** Asks the provider itself whether it would answer, at no cost in tokens. Rejects with `ProviderFailure` when it would not. */
  probe(signal: AbortSignal): Promise<void>
  /**
   * Ends after `finish`. Throws `ProviderFailure` when the provider fails, `cancelled` when aborted; aborting closes the
   * upstream call. A stream that is left (`return`) closes it too.
   */
  stream(request: ProviderRequest, signal: AbortSignal): AsyncIterable<ProviderPart>
}
