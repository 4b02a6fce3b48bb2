// Tokens and prices from the price book of models: quick upper estimates before a question is sent, exact sums after.
import { microsOf, type ModelPriceBook } from '../cost/modelPrices.ts'
import { countTokens, estimateTokens, tokenFamily } from '../cost/tokens.ts'
import { fitPrompt, predictTokens, tokenCounter } from '../providers/fitPrompt.ts'
import type { ModelFacts } from '../providers/models.ts'
import type { ProviderProfile, ProviderRequest, ProviderUsage } from '../providers/provider.ts'

/** Tokens and prices, as the price books and tokenisers give them. */
export interface Tariff {
  /** Of a prompt, at most; quick. */
  promptTokens(prompt: ProviderRequest['prompt'], model: string): number
  /** Of a text, at most; quick. */
  roughTokens(text: string, model: string): number
  /** Of a text that was written; exact where the model's tokeniser is public. */
  textTokens(text: string, model: string): number
  /** Whole micro-USD, rounded once; null: no price is known. */
  costMicros(profile: Pick<ProviderProfile, 'model' | 'priceKey'>, usage: ProviderUsage, at: number): number | null
}

/** `book` null: there is none, and only what is free has a price. */
export function createTariff(book: ModelPriceBook | null): Tariff {
  return {
    promptTokens: (prompt, model) => predictTokens(prompt, tokenFamily(model)),
    roughTokens: (text, model) => estimateTokens(text, tokenFamily(model)),
    textTokens: (text, model) => countTokens(text, tokenFamily(model)),
    costMicros({ model, priceKey }, usage, at) {
      // A server of one's own: its electricity is in nobody's price book.
      if (priceKey === null) return 0
      // A model may say its dated name, which the book knows or not; the name it was asked by is as good.
      for (const name of [usage.model, model]) {
        const cost = name === undefined || name === null ? null : (book?.costOf(priceKey, name, usage, at) ?? null)
        if (cost !== null) return microsOf(cost)
      }
      return null
    }
  }
}

/** Room that an answer should have in a model's window, tokens. */
export const ANSWER_ROOM = 1_000

/** Shortens the prompt to the model's window, with room for the answer and for `more` tokens. Throws `context_too_large`. */
export function fitToWindow(
  request: ProviderRequest,
  facts: Pick<ModelFacts, 'contextWindow' | 'maxOutputTokens'> & { readonly model: string | null },
  more: number
): ProviderRequest {
  const room = Math.min(request.maxOutputTokens ?? ANSWER_ROOM, facts.maxOutputTokens, Math.floor(facts.contextWindow / 4))
  const { messages } = fitPrompt(request.prompt, {
    windowTokens: facts.contextWindow,
    reserveTokens: room + more,
    count: tokenCounter(facts.model)
  })
  return messages === request.prompt ? request : { ...request, prompt: messages }
}
