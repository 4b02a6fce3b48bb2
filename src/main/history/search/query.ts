// What a person types into the search box becomes clauses: plain data that the index, the ranking and the highlighting
// read. Nothing that can be typed is an error.
import { spellingsAt, type Spelling } from './spellings.ts'
import { isCommon, pairOf, singular, words, type WordList } from './words.ts'

/** Words that must stand next to each other, in this order; mostly it is one. */
export interface Phrase {
  readonly tokens: readonly string[]
  /** True: the last one is a beginning. */
  readonly prefix: boolean
  /** At most 1: less for what was not typed so, but may be meant. */
  readonly weight: number
}

/** One thing that was typed, in every way it may be written. The first is as typed. */
export interface Clause {
  readonly phrases: readonly Phrase[]
}

/** More clauses than anybody types; what comes after is ignored. */
const MAX_CLAUSES = 16
/** Of one clause; a long phrase of numbers and umlauts could be written in hundreds of ways. */
const MAX_PHRASES = 8
/** A single letter would match a twentieth of everything: it is a word, not a beginning. */
const MIN_PREFIX_LENGTH = 2
/** Of a word that goes on after what was typed. */
const BEGUN = 0.85

const PART = /"([^"]*)("?)|([^\s"]+)/g
const QUOTES = /[\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02]/g

/** A message matches when every clause does. Empty: nothing was typed that could be looked for. */
export function parseSearch(text: string): readonly Clause[] {
  const typed = text.replace(QUOTES, '"')
  const open = typed !== '' && !/[\s"]$/.test(typed)
  const clauses: Clause[] = []
  const seen = new Set<string>()
  for (const part of typed.matchAll(PART)) {
    const quoted = part[1]
    const unfinished = part.index + part[0].length === typed.length && (quoted === undefined ? open : part[2] === '' && open)
    const clause = clauseOf(quoted ?? part[3] ?? '', unfinished)
    const key = JSON.stringify(clause)
    if (clause === null || seen.has(key)) continue
    seen.add(key)
    clauses.push(clause)
    if (clauses.length === MAX_CLAUSES) break
  }
  return clauses
}

function clauseOf(text: string, unfinished: boolean): Clause | null {
  const list = words(text)
  if (list.length === 0) return null
  const ways = waysToWrite(list, text)
  const compound = list.compound(0)
  if (compound?.length === list.length) ways.push({ raw: [compound.raw], weight: 1 })
  return { phrases: ways.flatMap(({ raw, weight }) => phrasesOf(raw, unfinished, weight)).slice(0, MAX_PHRASES) }
}

type Way = Omit<Spelling, 'length'>

/** Every reading of the words, as typed first, up to a bound. */
function waysToWrite(list: WordList, text: string): Way[] {
  let begun: (Way & { readonly at: number })[] = [{ at: 0, raw: [], weight: 1 }]
  const done: Way[] = []
  while (begun.length > 0) {
    const longer = begun.flatMap(({ at, raw, weight }) =>
      spellingsAt(list, text, at).map((way) => ({ at: at + way.length, raw: [...raw, ...way.raw], weight: weight * way.weight }))
    )
    done.push(...longer.filter((way) => way.at >= list.length))
    begun = longer.filter((way) => way.at < list.length).slice(0, MAX_PHRASES)
  }
  const typed = { raw: Array.from({ length: list.length }, (_, at) => list.raw(at)), weight: 1 }
  return [typed, ...done.filter((way) => way.raw.join(' ') !== typed.raw.join(' '))]
}

/** A word still being typed is a beginning; and since the index holds singulars, also the singular it may be the plural of. */
function phrasesOf(raw: readonly string[], unfinished: boolean, weight: number): Phrase[] {
  const head = raw.slice(0, -1).map(singular)
  const last = raw.at(-1) ?? ''
  const whole = singular(last)
  const phrase = (token: string, prefix: boolean): Phrase => ({ tokens: [...head, token], prefix, weight })
  if (!unfinished || last.length < MIN_PREFIX_LENGTH) return [phrase(whole, false)]
  const out = [phrase(last, true)]
  if (whole !== last) out.push(phrase(whole, false))
  if (last.length >= 4 && /ie?$/.test(last)) out.push(phrase(last.replace(/ie?$/, 'y'), false))
  if (last.length >= 4 && /(?:ss|ch|sh|x)e$/.test(last)) out.push(phrase(last.slice(0, -1), false))
  return out
}

/** Which table of the index to ask what; `check`: its answers must be looked at in the text as well. */
export interface SearchPlan {
  readonly table: 'words' | 'pairs'
  readonly match: string
  readonly check: boolean
}

/**
 * The narrowest question to the index that misses nothing. Common words are left to be checked in the text when something
 * else narrows the search; a phrase held together by common words is looked up by its pairs.
 */
export function planSearch(clauses: readonly Clause[]): SearchPlan {
  const narrowing = clauses.filter((clause) => !isCommonWord(clause))
  const asked = narrowing.length > 0 ? narrowing : clauses
  const check = asked.length < clauses.length
  const only = asked.length === 1 && asked[0]?.phrases.length === 1 ? asked[0].phrases[0] : undefined
  const pairs = only === undefined ? null : pairsThatHold(only)
  if (only !== undefined && pairs !== null) {
    const exact = pairs.length === 1 && only.tokens.length === 2 && !only.prefix
    return { table: 'pairs', match: pairs.map((pair) => `"${pair}"`).join(' AND '), check: check || !exact }
  }
  return { table: 'words', match: asked.map(expressionOf).join(' AND '), check }
}

/** Words between those that are asked for, in a message that is worth finding behind many newer ones. */
const NEAR_WORDS = 4

/**
 * What to ask for messages in which everything stands close together; null where that says little: fewer than two things
 * were asked for, beside common words.
 */
export function planClosest(clauses: readonly Clause[]): SearchPlan | null {
  const asked = clauses.filter((clause) => !isCommonWord(clause)).map(({ phrases }) => phrases[0])
  if (asked.length < 2) return null
  const near = asked.map((phrase) => (phrase === undefined ? '' : writtenOut(phrase))).join(' ')
  return { table: 'words', match: `NEAR(${near}, ${NEAR_WORDS})`, check: asked.length < clauses.length }
}

function writtenOut({ tokens, prefix }: Phrase): string {
  return `"${tokens.join(' ')}"${prefix ? ' *' : ''}`
}

/** Every token is quoted and holds letters and digits only, so the expression is always well-formed. */
function expressionOf({ phrases }: Clause): string {
  const written = phrases.map(writtenOut).join(' OR ')
  return phrases.length === 1 ? written : `(${written})`
}

/** Narrows to messages of any of these. */
export function scopeExpression(anyOf: readonly string[]): string {
  return `(${anyOf.map((token) => `"${token}"`).join(' OR ')})`
}

function isCommonWord({ phrases }: Clause): boolean {
  const [only] = phrases
  return only !== undefined && phrases.length === 1 && only.tokens.length === 1 && !only.prefix && isCommon(only.tokens[0] ?? '')
}

/** The pairs that a phrase consists of, but for an unfinished last word; null where a gap between them would be left. */
function pairsThatHold({ tokens, prefix }: Phrase): string[] | null {
  const known = prefix ? tokens.slice(0, -1) : tokens
  const pairs = known.slice(1).map((token, at) => pairOf(known[at] ?? '', token))
  return pairs.length > 0 && pairs.every((pair) => pair !== null) ? pairs : null
}

/** Where a clause matched: how many words it spans, and how much it counts. */
export interface Match {
  readonly length: number
  readonly weight: number
}

/** The best match of a clause that begins at this word; null when there is none. */
export function matchAt({ phrases }: Clause, list: WordList, at: number): Match | null {
  let best: Match | null = null
  for (const phrase of phrases) {
    const match = phraseAt(phrase, list, at)
    if (match !== null && (best === null || match.weight > best.weight)) best = match
  }
  return best
}

function phraseAt(phrase: Phrase, list: WordList, at: number): Match | null {
  const { tokens } = phrase
  const end = at + tokens.length - 1
  for (let i = 0; at + i < end; i++) if (list.token(at + i) !== tokens[i]) return null
  const weight = end < list.length ? weightOf(phrase, list.token(end)) : 0
  if (weight > 0) return { length: tokens.length, weight }
  const compound = tokens.length === 1 ? list.compound(at) : null
  const together = compound === null ? 0 : weightOf(phrase, compound.token)
  return compound === null || together === 0 ? null : { length: compound.length, weight: together }
}

/** How much this word counts as the phrase's last; 0 when it is another. */
export function weightOf({ tokens, prefix, weight }: Phrase, token: string): number {
  const wanted = tokens.at(-1) ?? ''
  if (token === wanted) return weight
  return prefix && token.startsWith(wanted) ? weight * BEGUN : 0
}

/** What a word must begin with for any of the clauses to match there: code units. */
export function firstCodes(clauses: readonly Clause[]): ReadonlySet<number> {
  return new Set(clauses.flatMap(({ phrases }) => phrases.map(({ tokens }) => tokens[0]?.charCodeAt(0) ?? 0)))
}
