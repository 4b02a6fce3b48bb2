// A Word document: headings by their styles, lists, tables. Unpacked within bounds, because a zip can hold a thousand times its
// size; what Word hides (hidden, white or tiny text, deletions, comments, alternative texts, properties) is not taken.
import { Parser } from 'htmlparser2'
import { fromBufferPromise, type Entry, type ZipFile } from 'yauzl'
import { cleanText } from '../../../shared/kit/text.ts'
import { createDocxBody, createStyles } from './docxBody.ts'
import { HIDDEN_TEXT, UnreadableDocument, type Reading } from './reading.ts'

/** Of one part of the archive, unpacked; the largest real ones known have a few megabytes. */
const MOST_BYTES = 64 * 1_048_576
const MOST_ENTRIES = 20_000
const PARTS = new Set(['word/styles.xml', 'word/document.xml', 'word/footnotes.xml', 'docProps/core.xml'])

/** Throws `UnreadableDocument`. */
export async function readDocx(bytes: Uint8Array): Promise<Reading> {
  const parts = await partsOf(bytes)
  const document = parts.get('word/document.xml')
  if (document === undefined) throw new UnreadableDocument('This is no Word document: it has no text inside. Nothing was taken from it.')
  const styles = createStyles()
  parse(parts.get('word/styles.xml') ?? '', styles)
  const body = createDocxBody(styles.levelOf)
  parse(document, body)
  parse(parts.get('word/footnotes.xml') ?? '', body)
  const date = /<dcterms:modified[^>]*>(\d{4}-\d{2}-\d{2})/.exec(parts.get('docProps/core.xml') ?? '')?.[1] ?? null
  return { blocks: body.blocks(), date, remarks: body.sawHidden() ? [HIDDEN_TEXT] : [] }
}

function parse(xml: string, handler: ConstructorParameters<typeof Parser>[0]): void {
  const parser = new Parser(handler, { xmlMode: true, decodeEntities: true })
  parser.end(xml)
}

async function partsOf(bytes: Uint8Array): Promise<Map<string, string>> {
  const parts = new Map<string, string>()
  try {
    const zip = await fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), { lazyEntries: true, strictFileNames: false })
    if (zip.entryCount > MOST_ENTRIES) throw tooLarge()
    for await (const entry of zip.eachEntry()) {
      if (PARTS.has(entry.fileName)) parts.set(entry.fileName, await unpacked(zip, entry))
    }
  } catch (error) {
    if (error instanceof UnreadableDocument) throw error
    throw new UnreadableDocument('This document is damaged, incomplete, or no Word document (.docx). Open it in Word and save it again.', {
      cause: error
    })
  }
  return parts
}

async function unpacked(zip: ZipFile, entry: Entry): Promise<string> {
  if (entry.isEncrypted()) throw new UnreadableDocument('This document is protected by a password. Save it without one.')
  if (entry.uncompressedSize > MOST_BYTES) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  // yauzl ends a stream that holds more than its entry says.
  for await (const chunk of await zip.openReadStreamPromise(entry)) {
    const piece = chunk as Uint8Array
    size += piece.byteLength
    if (size > MOST_BYTES) throw tooLarge()
    chunks.push(piece)
  }
  return cleanText(Buffer.concat(chunks).toString('utf8'))
}

function tooLarge(): UnreadableDocument {
  return new UnreadableDocument('This document unpacks to far more than it could honestly hold. Nothing was taken from it.')
}
