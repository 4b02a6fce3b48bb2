// Whose documents a question may see. Pure.
import { cleanText } from '../../shared/kit/text.ts'

export interface Scope {
  readonly organisation: string
  /** The client of the meeting as it was written; empty: none is named. */
  readonly client: string
}

/** Words of ASCII with one space between them: nothing of it is to be folded but its capitals. */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/

/** A client's name as it is compared: however it is written, spaced or capitalised. Empty: no client. */
export function clientKey(name: string): string {
  // It is asked for several times with every question, and most have no client or one with a plain name.
  if (name === '') return ''
  if (PLAIN.test(name)) return name.toLowerCase()
  return cleanText(name)
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/\s+/gu, ' ')
    .trim()
    .toLowerCase()
    .normalize('NFC')
}
