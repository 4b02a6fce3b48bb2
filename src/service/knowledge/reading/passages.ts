// Cuts a document into the passages that are found and cited: by heading, page and paragraph, a table whole where it fits. Pure.
import type { Block } from './reading.ts'

export interface DocumentPassage {
  /** The headings above it: `Offer › Prices`. */
  readonly heading: string
  /** Markdown. */
  readonly body: string
  /** Where in the document: `page 4`, `rows 21–40`; empty: the heading says it. */
  readonly place: string
}

/** Words. A passage is closed when the next part would go beyond the first; no part is longer than the second. */
const ENOUGH = 300
const MOST = 400
/** For scripts without spaces. */
const MOST_CHARACTERS = 3_000
/** Rows of a long table that go together: few, so that the row that was asked for is not one of a hundred. */
const ROWS_TOGETHER = 20
/** The last sentence before a cut is said again after it, if it is no longer than this. */
const OVERLAP = 30

export function passagesOf(blocks: readonly Block[]): DocumentPassage[] {
  const passages: DocumentPassage[] = []
  const headings: string[] = []
  let page = 0
  let parts: string[] = []
  let words = 0

  const add = (body: string, rows = ''): void => {
    const place = [page > 0 ? `page ${page}` : '', rows].filter((part) => part !== '').join(', ')
    passages.push({ heading: headings.filter((part) => part !== '').join(' › '), body, place })
  }
  const close = (overlap = ''): void => {
    if (parts.length > 0) add(parts.join('\n\n'))
    parts = overlap === '' ? [] : [overlap]
    words = wordsIn(overlap)
  }
  const take = (part: string): void => {
    const count = wordsIn(part)
    if (parts.length > 0 && words + count > ENOUGH) close(lastSentence(parts.at(-1) ?? ''))
    parts.push(part)
    words += count
  }

  for (const block of blocks) {
    switch (block.kind) {
      case 'page':
        close()
        page = block.number
        break
      case 'heading':
        close()
        headings.length = Math.min(headings.length, block.level - 1)
        while (headings.length < block.level - 1) headings.push('')
        headings.push(oneLine(block.text))
        break
      case 'text':
        for (const piece of pieces(block.text)) take(piece)
        break
      case 'table': {
        const table = markdownTable(block.header, block.rows)
        if (fits(table) && block.rows.length <= ROWS_TOGETHER * 2) {
          take(table)
          break
        }
        close()
        for (const { from, rows } of groups(block.header, block.rows)) {
          add(markdownTable(block.header, rows), `rows ${from}–${from + rows.length - 1}`)
        }
      }
    }
  }
  close()
  return passages
}

function wordsIn(text: string): number {
  const spaced = text.match(/\S+/g)?.length ?? 0
  return Math.max(spaced, Math.ceil((text.length * MOST) / MOST_CHARACTERS / 2))
}

function fits(text: string): boolean {
  return wordsIn(text) <= MOST && text.length <= MOST_CHARACTERS
}

/** A paragraph that is too long, by sentences; a sentence that is too long, by words; a word that is too long, by characters. */
function pieces(text: string): string[] {
  if (fits(text)) return [text]
  const found: string[] = []
  let open = ''
  for (const part of text.match(/[^\n.!?。！？]+(?:[.!?。！？]+["')\]]*\s*|\n|$)|[.!?。！？\n]+/gu) ?? []) {
    for (const unit of fits(part) ? [part] : shortened(part)) {
      if (open !== '' && !(wordsIn(open + unit) <= ENOUGH)) {
        found.push(open.trim())
        open = ''
      }
      open += unit
    }
  }
  if (open.trim() !== '') found.push(open.trim())
  return found
}

function shortened(part: string): string[] {
  const words = part.match(/\S{1,1000}\s*/gu) ?? []
  const found: string[] = []
  for (let index = 0; index < words.length;) {
    let unit = ''
    do unit += words[index++] ?? ''
    while (index < words.length && unit.length < 1_000 && wordsIn(unit) < ENOUGH / 2)
    found.push(unit.toWellFormed())
  }
  return found
}

function lastSentence(text: string): string {
  if (text.startsWith('|')) return ''
  const sentence = /(?:^|[.!?]\s)([^.!?\n]{1,300}[.!?])\s*$/.exec(text)?.[1] ?? ''
  return wordsIn(sentence) <= OVERLAP ? sentence.trim() : ''
}

function* groups(header: readonly string[], rows: readonly (readonly string[])[]): Generator<{ from: number; rows: readonly (readonly string[])[] }> {
  const headWords = wordsIn(header.join(' '))
  let from = 0
  let words = headWords
  for (const [index, row] of rows.entries()) {
    const count = wordsIn(row.join(' ')) + row.length
    if (index > from && (words + count > ENOUGH || index - from >= ROWS_TOGETHER)) {
      yield { from: from + 1, rows: rows.slice(from, index) }
      from = index
      words = headWords
    }
    words += count
  }
  if (from < rows.length) yield { from: from + 1, rows: rows.slice(from) }
}

const LONGEST_CELL = 2_000

export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const width = rows.reduce((most, row) => Math.max(most, row.length), header.length)
  const line = (cells: readonly string[]): string =>
    `| ${Array.from({ length: width }, (_, index) => oneLine(cells[index] ?? '').replaceAll('|', '\\|')).join(' | ')} |`
  return [line(header), `|${' --- |'.repeat(width)}`, ...rows.map(line)].join('\n')
}

function oneLine(text: string): string {
  return text.slice(0, LONGEST_CELL).toWellFormed().replace(/\s+/g, ' ').trim()
}
