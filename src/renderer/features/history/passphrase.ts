// What is said about a passphrase while it is typed: guidance by length and variety, no score. Pure.

export type PassphraseAdvice = 'tooShort' | 'repeated' | 'weak' | 'fair' | 'good'

const SHORTEST = 8
/** Below this, trying them all is within reach of somebody who has the file, even through a slow key derivation. */
const FAIR_FROM = 12
/** Four or five common words, or a long sentence. */
const GOOD_FROM = 18
const FEWEST_DIFFERENT = 6

/** Null while nothing was typed. Counts what a person sees as characters. */
export function adviseOn(passphrase: string): PassphraseAdvice | null {
  if (passphrase === '') return null
  const characters = Array.from(passphrase)
  if (characters.length < SHORTEST) return 'tooShort'
  if (new Set(characters).size < FEWEST_DIFFERENT) return 'repeated'
  if (characters.length < FAIR_FROM) return 'weak'
  return characters.length < GOOD_FROM ? 'fair' : 'good'
}
