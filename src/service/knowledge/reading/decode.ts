// Bytes of a text file as clean text: UTF-8 or UTF-16 with a mark, else what Windows programs write. Pure.
import { cleanText } from '../../../shared/kit/text.ts'
import { UnreadableDocument } from './reading.ts'

/** Throws `UnreadableDocument` when it is no text. */
export function decode(bytes: Uint8Array): string {
  const text = decoded(bytes)
  // A text has none of these; a program, a picture or a database has many.
  if (text.slice(0, 65_536).includes('\u0000')) throw new UnreadableDocument('This is no text but another kind of file. Nothing was taken from it.')
  return cleanText(text)
}

function decoded(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return new TextDecoder('windows-1252').decode(bytes)
  }
}
