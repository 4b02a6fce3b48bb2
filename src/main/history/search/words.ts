// Text into the words that the search index holds and that a query asks for. One analyser for index, query and
// highlighting, so that what is found can always be shown. Its rules are part of the database's format: a change needs a migration.

/** A word of a text: its form in the index and its place in the text, in UTF-16 code units. */
export interface Word {
  readonly token: string
  readonly start: number
  readonly end: number
}

/** Longer words (encoded data, mostly) are known by their beginning. */
const MAX_TOKEN_LENGTH = 64

const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu
const NOT_ASCII = /[^\u0000-\u007f]/ // oxlint-disable-line no-control-regex -- the range is what is asked for
// Scripts that put no spaces between words, and Hangul, whose particles stick to the word: each character is a word of
// its own, and what is typed becomes a phrase. With script extensions, so that the prolonged sound mark belongs to its kana.
const UNSPACED = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]\p{M}*/gu
// Accents of Latin, Greek and Cyrillic, Hebrew points, Arabic vowel signs. Marks of other scripts carry the meaning.
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]/g
const NOT_WORD = /[^\p{L}\p{N}\p{M}]/gu
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

function pushPlain(out: Word[], raw: string, start: number): void {
  const token = tokenOf(raw)
  if (token !== '') out.push({ token, start, end: start + raw.length })
}

/** Words as they were written, folded but not stemmed: what a query's last word, still being typed, is compared with. */
export function rawWords(text: string, from = 0, to = text.length): Word[] {
  const out: Word[] = []
  const part = from === 0 && to >= text.length ? text : text.slice(from, to)
  for (const match of part.matchAll(WORD)) {
    const raw = match[0]
    const start = from + match.index
    if (!NOT_ASCII.test(raw)) {
      out.push({ token: raw.toLowerCase().slice(0, MAX_TOKEN_LENGTH), start, end: start + raw.length })
      continue
    }
    let last = 0
    for (const unit of raw.matchAll(UNSPACED)) {
      if (unit.index > last) pushPlain(out, raw.slice(last, unit.index), start + last)
      pushPlain(out, unit[0], start + unit.index)
      last = unit.index + unit[0].length
    }
    if (last < raw.length) pushPlain(out, raw.slice(last), start + last)
  }
  return out
}

/** The words of a text, in order, as the index holds them. */
export function words(text: string, from = 0, to = text.length): Word[] {
  return rawWords(text, from, to).map((word) => {
    const token = singular(word.token)
    return token === word.token ? word : { token, start: word.start, end: word.end }
  })
}

// The words that make up half of any prose. Pairs of neighbours among them are indexed as one term of their own: a phrase
// made of such words would otherwise have to walk through nearly every message.
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

/** A pair of neighbouring common words as one term; null when one of them is not common. */
export function commonPair(first: string, second: string): string | null {
  return COMMON.has(first) && COMMON.has(second) ? `${first}\u00b7${second}` : null
}
