// What an answer may not carry out: credentials, and images from elsewhere, which would fetch an address that the text
// chose. Works on pieces: the end of what came is held back while it could still become something.
import { CREDENTIAL_SIGN, maskCredentials } from './credentials.ts'

export interface OutputFilter {
  /** What may be shown now; may be empty. */
  next(piece: string): string
  /** What was held back. */
  end(): string
  /** Kinds of what was taken out. */
  readonly removed: readonly string[]
}

/** An image in Markdown or HTML with an address elsewhere; the alternative text stays. */
const IMAGE = /!\[([^\]\n]{0,300})\]\(\s*(?:https?:)?\/\/[^)\n]{0,2000}\)|!\[([^\]\n]{0,300})\]\[[^\]\n]{0,200}\]|<img\b[^>]{0,2000}>/gi
/** Where something that must be seen whole may have begun: an image, a run without spaces, a key block. */
const OPEN_IMAGE = /!\[[^\]\n]{0,300}(?:\](?:\([^)\n]{0,2000}|\[[^\]\n]{0,200})?)?$|!$|<i?m?g?$|<img\b[^>]{0,2000}$/i
const KEY_BLOCK = '-----BEGIN'
const KEY_BLOCK_END = /-----END [^\n]{0,60}-----/
const WHOLE_KEY_BLOCK = /-----BEGIN [\s\S]*?-----END [^\n]{0,60}-----/g
/** Ends in white space or a mark that no credential and no image has open. */
const PLAIN_END = /[\s.,;:?)]$/
/** How credentials begin, as far as they begin alike. */
const STARTERS = [
  'AKIA',
  'ASIA',
  'AIza',
  'sk-',
  'sk_',
  'rk_',
  'ghp_',
  'gho_',
  'ghu_',
  'ghs_',
  'ghr_',
  'github_pat_',
  'glpat-',
  'xox',
  'eyJ',
  '-----B'
]
/** A credential is shorter; longer runs are text without spaces, such as Chinese. */
const LONGEST_RUN = 400
/** Without one of these a text has nothing that is filtered, and nothing open but, at most, its last word. Most pieces have none. */
const ANY_SIGN = new RegExp(`[!<]|${CREDENTIAL_SIGN.source}`)
/** What is filtered has one of these, and so has what may become it. */
const TRIGGER =
  /!\[|<img|AKIA|ASIA|AIza|sk[-_]|rk_|gh[pousr]_|github_pat|glpat-|xox|eyJ|-----|:\/\/|passw|passwd|pwd|mot de|contrase|secret|key|token|sig=/i
const LONGEST_HELD = 8_192
const CONTEXT = 120

export function createOutputFilter(): OutputFilter {
  const removed: string[] = []
  let held = ''
  /** The end of what was shown: words such as "password:" before what is filtered. */
  let shown = ''

  const clean = (text: string): string => {
    if (!ANY_SIGN.test(text)) return text
    const { text: masked, kinds } = maskCredentials(text)
    removed.push(...kinds)
    return masked.replace(IMAGE, (_, alt?: string, reference?: string) => {
      removed.push('image')
      return alt ?? reference ?? ''
    })
  }
  const pass = (text: string): string => {
    if (text === '') return ''
    const before = shown + text
    const whole = clean(before)
    const out = whole === before ? text : whole.slice(commonLength(whole, shown))
    shown = (shown + out).slice(-CONTEXT)
    return out
  }
  return {
    removed,
    next(piece) {
      held += piece
      const safe = safeLength(held)
      const out = held.slice(0, safe)
      held = held.slice(safe)
      return pass(out)
    },
    end() {
      const out = pass(held)
      held = ''
      return out
    }
  }
}

function commonLength(a: string, b: string): number {
  let length = 0
  while (length < b.length && a[length] === b[length]) length += 1
  return length
}

/** How much of `text` can no longer become part of something that is filtered. */
function safeLength(text: string): number {
  if (text.length > LONGEST_HELD) return text.length
  const isPlain = !ANY_SIGN.test(text)
  if (PLAIN_END.test(text) && (isPlain || !TRIGGER.test(text))) return text.length
  if (isPlain) return startOfLastRun(text)
  const block = text.lastIndexOf(KEY_BLOCK)
  const isOpen = block >= 0 && !KEY_BLOCK_END.test(text.slice(block))
  const safe = Math.min(OPEN_IMAGE.exec(text)?.index ?? text.length, startOfLastRun(text), isOpen ? block : text.length)
  // What is complete goes out whole or not yet.
  for (const pattern of [IMAGE, WHOLE_KEY_BLOCK]) {
    for (const match of text.matchAll(pattern)) {
      if (match.index < safe && safe < match.index + match[0].length) return match.index
    }
  }
  return safe
}

/** Start of the run at the end that could be the begin of a credential; ordinary words are shown as they come. */
function startOfLastRun(text: string): number {
  const run = /[^\s]+$/.exec(text)
  if (run === null || run[0].length > LONGEST_RUN) return text.length
  const [word] = run
  const isBegin = STARTERS.some((starter) => starter.startsWith(word) || word.startsWith(starter))
  if (!isBegin && /^[\p{L}*_#(["'‘“’-]{0,15}$/u.test(word)) return text.length
  return /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]$/u.test(text) ? text.length : run.index
}
