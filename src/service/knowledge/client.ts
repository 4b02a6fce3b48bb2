// Whose documents a question may see. Pure.
import { cleanText } from '../../shared/kit/text.ts'

export interface Scope {
  readonly organisation: string
  /** The client of the meeting as it was written; empty: none is named. */
  readonly client: string
}

/** A client's name as it is compared: however it is written, spaced or capitalised. Empty: no client. */
export function clientKey(name: string): string {
  return cleanText(name)
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/\s+/gu, ' ')
    .trim()
    .toLowerCase()
    .normalize('NFC')
}
