// Text into the words that the search index holds and that a query asks for. One analyser for index, query and
// highlighting, so that what is found can always be shown. Its rules are part of the database's format: a change needs a migration.

/** The words of a text, in order. Forms are made when they are asked for: most words are only passed by. */
export interface WordList {
  readonly length: number
  /** Places are UTF-16 code units. */
  start(at: number): number
  end(at: number): number
  /** The form in the index; empty outside the list. */
  token(at: number): string
  /** The form without stemming: what a word that is still being typed is compared with. */
  raw(at: number): string
  /** First code unit of the form, without making it. */
  firstCode(at: number): number
  /** The compound that begins here; null for the other words. */
  compound(at: number): Compound | null
}

/** Words held together by a hyphen or an apostrophe (`e-mail`, `don't`), as they are when they are written as one. */
export interface Compound {
  readonly token: string
  readonly raw: string
  /** How many words it spans. */
  readonly length: number
}

/** Longer words (encoded data, mostly) are known by their beginning. */
const MAX_TOKEN_LENGTH = 64

const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/uy
const NOT_ASCII = /[^\u0000-\u007f]/ // oxlint-disable-line no-control-regex -- the range is what is asked for
// Scripts that put no spaces between words, and Hangul, whose particles stick to the word: each character is a word of
// its own, and what is typed becomes a phrase. With script extensions, so that the prolonged sound mark belongs to its kana.
const UNSPACED = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]\p{M}*/gu
// Accents of Latin, Greek and Cyrillic, Hebrew points, Arabic vowel signs. Marks of other scripts carry the meaning.
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]/g
const NOT_WORD = /[^\p{L}\p{N}\p{M}]/gu
/** Hyphen, apostrophe, and their typographic forms. */
const JOINERS: ReadonlySet<number> = new Set([0x27, 0x2d, 0x2010, 0x2011, 0x2019])
/** Longer chains are names of things (paths, ids), not words. */
const MAX_COMPOUND_WORDS = 4
const LETTERS: Readonly<Record<string, string>> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', ł: 'l', ı: 'i', þ: 'th' }
const LETTER = /[ßæœøđðłıþ]/g

/** Case, accents, widths and ligatures folded: `Größe` and `GROSSE`, `Café` and `cafe` become the same. */
export function fold(text: string): string {
  const lower = text.toLowerCase()
  if (!NOT_ASCII.test(lower)) return lower
  return lower
    .normalize('NFKD')
    .replace(ACCENTS, '')
    .toLowerCase()
    .replace(LETTER, (letter) => LETTERS[letter] ?? letter)
    .normalize('NFC')
}

/**
 * A plural's singular, by Harman's "S" stemmer ("How effective is suffixing?", 1991) with the sibilants added. Both
 * sides go through it, so a wrong singular still finds its word. More stemming would make words vanish while typed.
 */
export function singular(token: string): string {
  if (token.length < 4 || !token.endsWith('s')) return token
  if (token.endsWith('ies')) return /[ae]ies$/.test(token) ? token : `${token.slice(0, -3)}y`
  if (/(?:ss|ch|sh|x)es$/.test(token)) return token.slice(0, -2)
  if (/(?:[us]|i)s$/.test(token) || /[aeo]es$/.test(token)) return token
  return token.slice(0, -1)
}

function tokenOf(raw: string): string {
  const folded = fold(raw)
  return (NOT_ASCII.test(folded) || NOT_ASCII.test(raw) ? folded.replace(NOT_WORD, '') : folded).slice(0, MAX_TOKEN_LENGTH).toWellFormed()
}

const SPACE = 0
const WORD_CHARACTER = 1
const LOOK_CLOSER = 2
/** Code units below 128 by what they are on the quick way through plain text. */
const ASCII = Uint8Array.from({ length: 128 }, (_, code) => (/[a-z0-9]/i.test(String.fromCharCode(code)) ? WORD_CHARACTER : SPACE))

function kindOf(code: number): number {
  if (code < 128) return ASCII[code] ?? SPACE
  // General punctuation and the no-break space stand in the most ordinary prose; nothing there belongs to a word.
  return code === 0xa0 || (code >= 0x2000 && code <= 0x206f) ? SPACE : LOOK_CLOSER
}

/** The words of the first `upTo` code units of a text. */
export function words(text: string, upTo = text.length): WordList {
  const starts: number[] = []
  const ends: number[] = []
  /** Folded forms of the words that are not plain ASCII. */
  const folded = new Map<number, string>()

  function addFolded(start: number, end: number): void {
    const token = tokenOf(text.slice(start, end))
    if (token === '') return
    folded.set(starts.length, token)
    starts.push(start)
    ends.push(end)
  }

  /** A word with a character beyond ASCII begins here; the answer is where to go on. */
  function addSpecial(start: number, here: number): number {
    WORD.lastIndex = start
    const raw = WORD.exec(text)?.[0] ?? ''
    let last = 0
    for (const unit of raw.matchAll(UNSPACED)) {
      if (unit.index > last) addFolded(start + last, start + unit.index)
      addFolded(start + unit.index, start + unit.index + unit[0].length)
      last = unit.index + unit[0].length
    }
    if (last < raw.length) addFolded(start + last, start + raw.length)
    return Math.max(start + raw.length, here + 1)
  }

  const end = Math.min(upTo, text.length)
  for (let at = 0; at < end;) {
    const start = at
    let kind = kindOf(text.charCodeAt(at))
    if (kind === SPACE) {
      at += 1
      continue
    }
    while (kind === WORD_CHARACTER && at < end) {
      at += 1
      kind = at < end ? kindOf(text.charCodeAt(at)) : SPACE
    }
    if (kind === LOOK_CLOSER) {
      at = addSpecial(start, at)
      continue
    }
    starts.push(start)
    ends.push(at)
  }

  const raw = (at: number): string => {
    if (at < 0 || at >= starts.length) return ''
    return folded.get(at) ?? text.slice(starts[at], ends[at]).toLowerCase().slice(0, MAX_TOKEN_LENGTH)
  }
  const isDigit = (code: number): boolean => code >= 48 && code <= 57
  /** Whether this word and the next are one compound. Not between digits: `10-20` is a range, `555-1234` a number. */
  const joinsNext = (at: number): boolean => {
    const [here, next] = [ends[at] ?? 0, starts[at + 1] ?? 0]
    return next - here === 1 && JOINERS.has(text.charCodeAt(here)) && !(isDigit(text.charCodeAt(here - 1)) && isDigit(text.charCodeAt(next)))
  }
  const compound = (at: number): Compound | null => {
    if (!joinsNext(at) || (at > 0 && joinsNext(at - 1))) return null
    let last = at + 1
    while (last - at < MAX_COMPOUND_WORDS && joinsNext(last)) last += 1
    if (last - at >= MAX_COMPOUND_WORDS) return null
    const together = Array.from({ length: last - at + 1 }, (_, offset) => raw(at + offset)).join('')
    return together.length > MAX_TOKEN_LENGTH ? null : { token: singular(together), raw: together, length: last - at + 1 }
  }
  return {
    length: starts.length,
    compound,
    start: (at) => starts[at] ?? 0,
    end: (at) => ends[at] ?? 0,
    raw,
    token: (at) => singular(raw(at)),
    firstCode(at) {
      const special = folded.size === 0 ? undefined : folded.get(at)
      if (special !== undefined) return special.charCodeAt(0)
      const code = text.charCodeAt(starts[at] ?? 0)
      return code >= 65 && code <= 90 ? code + 32 : code
    }
  }
}

/** What the index holds of a text: every word's form, in order, and the compounds as one word each. */
export function analyse(text: string): { readonly tokens: readonly string[]; readonly compounds: ReadonlySet<string> } {
  const list = words(text)
  const compounds = new Set<string>()
  const tokens = Array.from({ length: list.length }, (_, at) => {
    const compound = list.compound(at)
    if (compound !== null) compounds.add(compound.token)
    return list.token(at)
  })
  return { tokens, compounds }
}

// The words that make up half of any prose: they narrow nothing down, and a phrase with one of them would have to walk
// through nearly every message. So queries check them in the text where they can, and pairs with them are indexed whole.
const COMMON = new Set(
  `a all also an and any are as at be been but by can could do for from get had has have he her his how i if in into is it its
  just like may more my need no not of on one only or other our out over she should so some than that the their them then there
  these they this to up us use was we were what when which who will with would you your
  auf aus das dem den der des die ein eine er es fur im ist mit nicht sich sie und von wir zu
  au ce dans de du en est et il la le les nous pas pour que qui sur un une vous
  che con del della di el gli las los no para per por se una y`
    .split(/\s+/)
    .map(singular)
)

/** By its form in the index. */
export function isCommon(token: string): boolean {
  return COMMON.has(token)
}

/** Two neighbours, one of them common, as one term of the index of pairs; null for others. */
export function pairOf(first: string, second: string): string | null {
  return COMMON.has(first) || COMMON.has(second) ? `${first}\u00b7${second}` : null
}
