// Markdown of anybody's: with or without front matter. Headings, paragraphs, tables; pictures become their words, comments
// are what a reader never sees. HTML in it is text like any other. Pure.
import { decode } from './decode.ts'
import { HIDDEN_TEXT, type Block, type Reading } from './reading.ts'

const FRONT_MATTER = /^---\n([\s\S]{0,20000}?)\n(?:---|\.\.\.)(?:\n|$)/
const DATE = /^(?:date|updated|modified|asOf|lastmod):\s*["']?(\d{4}-\d{2}-\d{2})/im
const FENCE = /^ {0,3}(`{3,}|~{3,})/
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*$/
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/

export function readMarkdown(bytes: Uint8Array): Reading {
  const whole = decode(bytes)
  const front = FRONT_MATTER.exec(whole)
  const { text, hidden } = withoutComments(front === null ? whole : whole.slice(front[0].length))
  return { blocks: blocksOf(text.split('\n')), date: DATE.exec(front?.[1] ?? '')?.[1] ?? null, remarks: hidden ? [HIDDEN_TEXT] : [] }
}

function withoutComments(text: string): { text: string; hidden: boolean } {
  let kept = ''
  let from = 0
  for (;;) {
    const start = text.indexOf('<!--', from)
    if (start < 0) break
    const end = text.indexOf('-->', start + 4)
    kept += text.slice(from, start)
    from = end < 0 ? text.length : end + 3
  }
  return { text: kept + text.slice(from), hidden: from > 0 }
}

function blocksOf(lines: readonly string[]): Block[] {
  const blocks: Block[] = []
  let open: string[] = []
  const close = (): void => {
    const text = withoutPictures(open.join('\n')).trim()
    if (text !== '') blocks.push({ kind: 'text', text })
    open = []
  }
  let fence: string | null = null
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? ''
    const mark = FENCE.exec(line)?.[1] ?? null
    if (fence !== null || mark !== null) {
      open.push(line)
      if (fence === null) fence = mark
      else if (mark !== null && mark.startsWith(fence)) fence = null
      continue
    }
    const heading = HEADING.exec(line)
    if (heading !== null) {
      close()
      blocks.push({ kind: 'heading', level: heading[1]?.length ?? 1, text: withoutPictures(heading[2] ?? '') })
    } else if (line.includes('|') && TABLE_RULE.test(lines[index + 1] ?? '') && (lines[index + 1] ?? '').includes('-')) {
      close()
      let end = index + 2
      while (end < lines.length && (lines[end] ?? '').includes('|')) end += 1
      blocks.push({ kind: 'table', header: cellsOf(line), rows: lines.slice(index + 2, end).map(cellsOf) })
      index = end - 1
    } else if (line.trim() === '') close()
    else open.push(line)
  }
  close()
  return blocks
}

function cellsOf(line: string): string[] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '')
  return inner.split(/(?<!\\)\|/).map((cell) => withoutPictures(cell.replaceAll('\\|', '|')).trim())
}

/** A picture's address says nothing to a reader, and could carry something out of an answer. */
function withoutPictures(text: string): string {
  return text.replace(/!\[([^\]\n]{0,2000})\]\([^)\n]{0,4000}\)/g, '$1')
}
