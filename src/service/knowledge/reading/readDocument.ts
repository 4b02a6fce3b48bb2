// One document from its bytes to the passages that are kept of it.
import { examinePassage } from '../../safety/injection.ts'
import { readCsv } from './csv.ts'
import { readDocx } from './docx.ts'
import { readHtml } from './html.ts'
import { readMarkdown } from './markdown.ts'
import { passagesOf, type DocumentPassage } from './passages.ts'
import { readPdf } from './pdf.ts'
import { readPlain } from './plain.ts'
import { kindOf, UnreadableDocument, type OnProgress, type Reading } from './reading.ts'

export interface ReadDocument {
  readonly passages: readonly DocumentPassage[]
  readonly date: string | null
  readonly remarks: readonly string[]
}

/** Part of every hash: raise it when documents are read differently, and all of a folder are read again. */
export const READER_VERSION = 1
/** More passages of one document than this are not kept. */
const MOST_PASSAGES = 20_000

/** Throws `UnreadableDocument` with a sentence for its owner. */
export async function readDocument(name: string, bytes: Uint8Array, onProgress: OnProgress): Promise<ReadDocument> {
  if (bytes.byteLength === 0) throw new UnreadableDocument('This file is empty.')
  const { blocks, date, remarks } = await readingOf(name, bytes, onProgress)
  const all = passagesOf(blocks)
  if (all.length === 0) throw new UnreadableDocument('There is no text in this document.')
  const passages = all.slice(0, MOST_PASSAGES)
  const attacks = passages.filter(({ heading, body }) => examinePassage(body).isAttack || examinePassage(heading).isAttack).length
  return {
    passages,
    date,
    remarks: [
      ...remarks,
      ...(all.length > MOST_PASSAGES ? [`Only the first ${MOST_PASSAGES} of ${all.length} passages were taken. Divide the document.`] : []),
      ...(attacks === 0
        ? []
        : [
            `${attacks === 1 ? 'One passage tries' : `${attacks} passages try`} to give the model instructions: never shown to it. Check where this came from.`
          ])
    ]
  }
}

async function readingOf(name: string, bytes: Uint8Array, onProgress: OnProgress): Promise<Reading> {
  const kind = kindOf(name)
  switch (kind) {
    case 'markdown':
      return readMarkdown(bytes)
    case 'html':
      return readHtml(bytes)
    case 'pdf':
      return await readPdf(bytes, onProgress)
    case 'docx':
      return await readDocx(bytes)
    case 'csv':
      return readCsv(bytes)
    case 'text':
      return readPlain(bytes)
    case null:
      throw new UnreadableDocument('Documents of this kind can’t be read. Taken are Markdown, HTML, PDF, DOCX, CSV and text.')
  }
}
