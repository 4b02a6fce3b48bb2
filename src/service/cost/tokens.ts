// How many tokens a text is. OpenAI's models are counted with their own tokenizer; for all others there is an estimate that
// errs upwards, from a calibrated count and a factor for the maker. Pure.
import { countTokens as countO200k } from 'gpt-tokenizer/encoding/o200k_base'

/** Whose tokenizer is meant. */
export type TokenFamily = 'openai' | 'anthropic' | 'google' | 'other'

/** What every message costs beside its text: role and separators. OpenAI documents 3; others are taken for the same or less. */
export const TOKENS_PER_MESSAGE = 4

/**
 * Tokens of a maker for one of o200k, at most, on prose: Anthropic says its newer tokenizer makes up to 35 % more of the same
 * text; Gemini's vocabulary is larger than o200k. `other` are vocabularies down to 32,000 entries (Llama 2, Mistral).
 */
const familyFactor: Readonly<Record<TokenFamily, number>> = { openai: 1, anthropic: 1.4, google: 1.15, other: 1.5 }

/** Asked for several times in each answer, of the same few models. */
const families = new Map<string, TokenFamily>()
/** Names come from configurations and from callers, who may make them up. */
const MOST_NAMES_KEPT = 1_000

export function tokenFamily(model: string | null): TokenFamily {
  const known = families.get(model ?? '')
  if (known !== undefined) return known
  const family = familyOf(model?.toLowerCase() ?? '')
  if (families.size >= MOST_NAMES_KEPT) families.clear()
  families.set(model ?? '', family)
  return family
}

function familyOf(name: string): TokenFamily {
  if (/\b(gpt-|o[134]\b|o[134]-|chatgpt)/.test(name) && !name.includes('gpt-oss')) return 'openai'
  if (name.includes('claude')) return 'anthropic'
  return name.includes('gemini') ? 'google' : 'other'
}

/** Exact for `openai`, up to the pieces that very long words are cut into; for others an upper estimate. */
export function countTokens(text: string, family: TokenFamily): number {
  return Math.ceil(countExactly(text) * familyFactor[family])
}

/**
 * Much quicker than counting, and more than the count on all but odd texts (see tokens.test.ts for how often). For
 * reservations and first looks.
 */
export function estimateTokens(text: string, family: TokenFamily): number {
  let letters = 0
  let digits = 0
  let spaces = 0
  let marks = 0
  let wide = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 127) wide += 1
    else if ((code | 32) >= 97 && (code | 32) <= 122) letters += 1
    else if (code >= 48 && code <= 57) digits += 1
    else if (code === 32) spaces += 1
    else marks += 1
  }
  const tokens = Math.max(letters / 4, spaces) * 1.05 + digits / 2 + marks * 0.75 + wide * 1.1
  return Math.ceil(tokens * familyFactor[family]) + 1
}

/** No tokenizer makes more tokens of a text than it has bytes. */
export function mostTokens(text: string): number {
  return Buffer.byteLength(text)
}

/** Merging takes time in the square of a word's length, so a wall of one letter must not become one word. */
const LONGEST_RUN = 128
const anything = { disallowedSpecial: new Set<string>() }

function countExactly(text: string): number {
  let tokens = 0
  let from = 0
  let run = 0
  let wasSpace = false
  for (let index = 0; index < text.length; index += 1) {
    const isSpace = text.charCodeAt(index) <= 32
    run = isSpace === wasSpace ? run + 1 : 1
    wasSpace = isSpace
    if (run <= LONGEST_RUN) continue
    tokens += countO200k(text.slice(from, index), anything)
    from = index
    run = 1
  }
  return tokens + countO200k(from === 0 ? text : text.slice(from), anything)
}
