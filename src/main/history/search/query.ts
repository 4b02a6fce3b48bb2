// What a person types into the search box becomes clauses: plain data that the index, the ranking and the highlighting
// read. Nothing that can be typed is an error.
import { isCommon, pairOf, singular, words, type WordList } from './words.ts'

/** One way the last word of a clause may read. */
export interface Alternative {
  readonly token: string
  /** True: any word that begins like this. */
  readonly prefix: boolean
}

/** Words that must stand next to each other, in this order. A plain word is a clause of one. */
export interface Clause {
  readonly head: readonly string[]
  readonly last: readonly Alternative[]
}

/** More clauses than anybody types; what comes after is ignored. */
const MAX_CLAUSES = 16
/** A single letter would match a twentieth of everything: it is a word, not a beginning. */
const MIN_PREFIX_LENGTH = 2

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
    const list = words(quoted ?? part[3] ?? '')
    const unfinished = part.index + part[0].length === typed.length && (quoted === undefined ? open : part[2] === '' && open)
    const clause = clauseOf(list, unfinished)
    const key = JSON.stringify(clause)
    if (clause === null || seen.has(key)) continue
    seen.add(key)
    clauses.push(clause)
    if (clauses.length === MAX_CLAUSES) break
  }
  return clauses
}

function clauseOf(list: WordList, unfinished: boolean): Clause | null {
  if (list.length === 0) return null
  const head = Array.from({ length: list.length - 1 }, (_, at) => list.token(at))
  return { head, last: alternatives(list.raw(list.length - 1), unfinished) }
}

/** A word still being typed is a beginning; and since the index holds singulars, also the singular it may be the plural of. */
function alternatives(token: string, unfinished: boolean): Alternative[] {
  const whole = singular(token)
  if (!unfinished || token.length < MIN_PREFIX_LENGTH) return [{ token: whole, prefix: false }]
  const out: Alternative[] = [{ token, prefix: true }]
  if (whole !== token) out.push({ token: whole, prefix: false })
  if (token.length >= 4 && /ie?$/.test(token)) out.push({ token: token.replace(/ie?$/, 'y'), prefix: false })
  if (token.length >= 4 && /(?:ss|ch|sh|x)e$/.test(token)) out.push({ token: token.slice(0, -1), prefix: false })
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
  const only = asked.length === 1 ? asked[0] : undefined
  const pairs = only === undefined ? null : pairsThatHold(only)
  if (only !== undefined && pairs !== null) {
    const exact = pairs.length === 1 && only.head.length === 1 && wholeLast(only) !== null
    return { table: 'pairs', match: pairs.map((pair) => `"${pair}"`).join(' AND '), check: check || !exact }
  }
  return { table: 'words', match: asked.map((clause) => `words : (${phrasesOf(clause)})`).join(' AND '), check }
}

/** Every token is quoted and holds letters and digits only, so the expression is always well-formed. */
function phrasesOf({ head, last }: Clause): string {
  return last.map(({ token, prefix }) => `"${[...head, token].join(' ')}"${prefix ? ' *' : ''}`).join(' OR ')
}

/** Narrows to messages of any of these. */
export function scopeExpression(anyOf: readonly string[]): string {
  return `scope : (${anyOf.map((token) => `"${token}"`).join(' OR ')})`
}

function isCommonWord(clause: Clause): boolean {
  const token = clause.head.length === 0 ? wholeLast(clause) : null
  return token !== null && isCommon(token)
}

/** The last word, where it is one and known to its end. */
function wholeLast({ last }: Clause): string | null {
  const only = last.length === 1 ? last[0] : undefined
  return only === undefined || only.prefix ? null : only.token
}

/** The pairs that a phrase consists of, but for an unfinished last word; null where a gap between them would be left. */
function pairsThatHold(clause: Clause): string[] | null {
  const end = wholeLast(clause)
  const known = end === null ? clause.head : [...clause.head, end]
  const pairs = known.slice(1).map((token, at) => pairOf(known[at] ?? '', token))
  return pairs.length > 0 && pairs.every((pair) => pair !== null) ? pairs : null
}

/** How many words the clause spans when it matches at this word; 0 when it does not. */
export function matchLength({ head, last }: Clause, list: WordList, at: number): number {
  for (let i = 0; i < head.length; i++) if (list.token(at + i) !== head[i]) return 0
  const end = at + head.length
  if (end >= list.length) return 0
  const token = list.token(end)
  return last.some((alternative) => (alternative.prefix ? token.startsWith(alternative.token) : token === alternative.token)) ? head.length + 1 : 0
}

/** What a word must begin with for any of the clauses to match there: code units. */
export function firstCodes(clauses: readonly Clause[]): ReadonlySet<number> {
  return new Set(
    clauses.flatMap(({ head, last }) => (head[0] === undefined ? last.map(({ token }) => token) : [head[0]]).map((token) => token.charCodeAt(0)))
  )
}
