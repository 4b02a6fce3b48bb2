// A PDF, page by page: its lines put together to paragraphs, larger ones as headings. Pages that are pictures are named.
import { getDocumentProxy } from 'unpdf'
import { cleanText } from '../../../shared/kit/text.ts'
import { HIDDEN_TEXT, UnreadableDocument, type Block, type OnProgress, type Reading } from './reading.ts'

interface Item {
  readonly str: string
  readonly transform: readonly number[]
  readonly width: number
  readonly height: number
  readonly hasEOL: boolean
}

interface Line {
  text: string
  readonly y: number
  readonly size: number
  end: number
}

/** Points; nobody reads smaller print. */
const TINY = 2.5
/** A line this much larger than the page's usual one is a heading. */
const LARGER = 1.2
const LONGEST_HEADING = 120
const MOST_PAGES = 5_000

/** Throws `UnreadableDocument`. */
export async function readPdf(bytes: Uint8Array, onProgress: OnProgress): Promise<Reading> {
  const pdf = await opened(bytes)
  if (pdf.numPages > MOST_PAGES) throw new UnreadableDocument(`This PDF has more than ${MOST_PAGES} pages. Divide it.`)
  const blocks: Block[] = []
  const pictures: number[] = []
  let sawTiny = false
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await pdf.getPage(number)
    const { items } = await page.getTextContent()
    const read = linesOf(items.filter((item): item is Item & typeof item => 'str' in item))
    sawTiny ||= read.sawTiny
    if (read.lines.length === 0) pictures.push(number)
    else blocks.push({ kind: 'page', number }, ...blocksOf(read.lines))
    page.cleanup()
    onProgress(number, pdf.numPages)
  }
  if (blocks.length === 0) {
    throw new UnreadableDocument('This PDF holds pictures of pages and no text: it was scanned. Run text recognition (OCR) on it and add it again.')
  }
  const { info } = (await pdf.getMetadata()) as { info: { ModDate?: unknown; CreationDate?: unknown } }
  const remarks = [
    ...(pictures.length === 0 ? [] : [`No text on ${pages(pictures)}: empty or scanned. Run text recognition (OCR) to have them found.`]),
    ...(sawTiny ? [HIDDEN_TEXT] : [])
  ]
  return { blocks, date: dateOf(info.ModDate) ?? dateOf(info.CreationDate), remarks }
}

async function opened(bytes: Uint8Array): ReturnType<typeof getDocumentProxy> {
  try {
    // A copy: pdf.js refuses Node's buffers, and takes away what it is given.
    return await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0, isEvalSupported: false, disableFontFace: true, useSystemFonts: false })
  } catch (error) {
    const isLocked = error instanceof Error && error.name === 'PasswordException'
    throw new UnreadableDocument(
      isLocked
        ? 'This PDF is protected by a password. Save it without one.'
        : 'This PDF is damaged or incomplete. Open it in a viewer and save it again.',
      { cause: error }
    )
  }
}

function pages(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 12).join(', ')
  return `page${numbers.length === 1 ? '' : 's'} ${shown}${numbers.length > 12 ? ' and others' : ''}`
}

function linesOf(items: readonly Item[]): { lines: Line[]; sawTiny: boolean } {
  const lines: Line[] = []
  let sawTiny = false
  let open: Line | null = null
  for (const { str, transform, width, height, hasEOL } of items) {
    const [, , c = 0, d = 0, x = 0, y = 0] = transform
    const size = height > 0 ? height : Math.hypot(c, d)
    if (str.trim() !== '' && size < TINY) {
      sawTiny = true
      continue
    }
    if (open !== null && Math.abs(open.y - y) > size / 2 && str !== '') open = null
    if (str !== '') {
      if (open === null) {
        if (str.trim() !== '') lines.push((open = { text: str, y, size, end: x + width }))
      } else {
        // Words far apart on one line are cells of a table.
        const gap = x - open.end
        open.text += `${gap > size * 1.5 && str.trim() !== '' ? '   ' : gap > size * 0.15 && !open.text.endsWith(' ') ? ' ' : ''}${str}`
        open.end = x + width
      }
    }
    if (hasEOL) open = null
  }
  return { lines, sawTiny }
}

function blocksOf(lines: readonly Line[]): Block[] {
  const usual = medianSize(lines)
  const blocks: Block[] = []
  let paragraph: string[] = []
  let last: Line | null = null
  const close = (): void => {
    const text = cleanText(paragraph.join('\n')).trim()
    if (text !== '') blocks.push({ kind: 'text', text })
    paragraph = []
  }
  for (const line of lines) {
    const text = cleanText(line.text).trim()
    if (text === '') continue
    if (line.size > usual * LARGER && text.length <= LONGEST_HEADING) {
      close()
      blocks.push({ kind: 'heading', level: line.size > usual * 1.6 ? 1 : 2, text })
    } else {
      if (last !== null && Math.abs(last.y - line.y) > Math.max(last.size, line.size) * 1.9) close()
      paragraph.push(text)
    }
    last = line
  }
  close()
  return blocks
}

/** Of the letters, not of the lines: a title page has many short ones. */
function medianSize(lines: readonly Line[]): number {
  const sizes = lines.flatMap(({ size, text }) => Array.from({ length: Math.ceil(text.length / 20) }, () => size)).sort((a, b) => a - b)
  return sizes[Math.floor(sizes.length / 2)] ?? 10
}

/** `D:20250131…`, PDF 32000-1, 7.9.4. */
function dateOf(value: unknown): string | null {
  const match = typeof value === 'string' ? /^D:(\d{4})(\d{2})(\d{2})/.exec(value) : null
  return match === null ? null : `${match[1]}-${match[2]}-${match[3]}`
}
