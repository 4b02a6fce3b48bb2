// The port to whatever writes an answer: a language model somewhere, or the built-in local knowledge. Shaped like the
// AI SDK's `LanguageModelV4.doStream`, without its weight.
import type { Citation, FinishReason, QuickAction } from '../../shared/turn.ts'

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

export interface ProviderRequest {
  readonly question: string
  readonly quickAction: QuickAction | undefined
  /** Oldest first, without the question. */
  readonly history: readonly ConversationMessage[]
  readonly material: Material
  /** The same, as a prompt for a language model. */
  readonly prompt: readonly PromptMessage[]
}

export type ProviderPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'usage'; readonly inputTokens: number; readonly outputTokens: number; readonly cachedTokens: number }
  /** The last part, always: a stream that ends without it has failed. */
  | { readonly type: 'finish'; readonly reason: FinishReason }

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
  /**
   * Ends after `finish`. Throws `CopilotError` (`unavailable`, `timeout`, `rate_limited`, `refused`) when the provider
   * fails, `cancelled` when aborted; aborting stops the upstream call.
   */
  stream(request: ProviderRequest, signal: AbortSignal): AsyncIterable<ProviderPart>
}
