// Tokens and prices where nothing better is known: four characters to a token, and no price.
import type { Tariff } from './accountant.ts'

const CHARACTERS_PER_TOKEN = 4
/** What a message costs beside its text. */
const PER_MESSAGE = 4

export const roughTariff: Tariff = {
  promptTokens: (prompt, model) => prompt.reduce((sum, { content }) => sum + PER_MESSAGE + roughTariff.textTokens(content, model), 0),
  textTokens: (text) => Math.ceil(text.length / CHARACTERS_PER_TOKEN),
  costMicros: ({ priceKey }) => (priceKey === null ? 0 : null)
}
