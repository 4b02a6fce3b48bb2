// Sessions as Markdown that is read as it was meant, whatever the messages hold: an open fence ends with its message, and
// HTML stays text.
import MarkdownIt from 'markdown-it'
import type { FileRecordOf } from '../history/records.ts'
import type { ExportRenderer } from './renderer.ts'
import { answeredBy, createTranscript, localTime, sessionFacts, SPEAKERS, stateWords, titleOf, type TranscriptMessage } from './transcript.ts'

/** Knows HTML, to find it. */
const finder = new MarkdownIt('commonmark', { html: true })

export function createMarkdownRenderer(): ExportRenderer {
  let answers = 0
  const transcript = createTranscript({
    session: (session) =>
      `# ${inline(titleOf(session))}\n\n${sessionFacts(session)
        .map(([name, value]) => `- **${inline(name)}:** ${inline(value)}\n`)
        .join('')}\n`,
    message: (message) => {
      if (message.message.role === 'assistant') answers += 1
      return messageText(message, answers)
    }
  })
  return { begin: () => '', page: transcript, end: () => '' }
}

function messageText(entry: TranscriptMessage, number: number): string {
  const { message, turn } = entry
  const state = stateWords(entry)
  const by = message.role === 'assistant' ? answeredBy(turn) : ''
  const head = `## ${SPEAKERS[message.role]} · ${localTime(message.createdAt)}${by === '' ? '' : ` · ${inline(by)}`}\n\n`
  const notes = [...(message.role === 'assistant' ? (turn?.notices ?? []).map((notice) => notice.text) : []), ...(state === null ? [] : [state])]
  const body = message.role === 'assistant' ? withFootnotes(safeMarkdown(message.text), turn?.citations ?? [], number) : quoted(message.text)
  return `${head}${notes.map((note) => `*${inline(note)}*\n\n`).join('')}${body}\n`
}

/** A question as it was typed: a quote, in which nothing is Markdown but by its own marks. */
function quoted(text: string): string {
  return `${safeMarkdown(text)
    .split('\n')
    .map((line) => (line === '' ? '>' : `> ${line}`))
    .join('\n')}\n`
}

/** Words on one line in which no mark means anything. */
export function inline(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_[\]<>#|~&!]/g, (mark) => `\\${mark}`)
}

/** The same Markdown without HTML that acts, and with every fence closed. */
export function safeMarkdown(text: string): string {
  const lines = text.replaceAll(/\r\n?/g, '\n')
  const attempts = [(all: string) => all, (all: string) => outsideFences(all, escapeHtml), escapeHtml]
  for (const attempt of attempts) {
    const closed = closeFence(attempt(lines))
    if (!hasHtml(closed)) return closed
  }
  return escapeHtml(lines)
}

function hasHtml(text: string): boolean {
  return finder.parse(text, {}).some((token) => token.type === 'html_block' || token.children?.some((child) => child.type === 'html_inline') === true)
}

/** In a code span or a fence it is then shown as written here, which is the lesser evil. */
function escapeHtml(text: string): string {
  return text.replaceAll('<', '&lt;')
}

const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/

/** The marks of the fence that is open behind this line; null outside of fences. */
function fenceAfter(line: string, open: string | null): string | null {
  const [, marks = '', rest = ''] = FENCE.exec(line) ?? []
  if (marks === '') return open
  if (open === null) return marks.startsWith('`') && rest.includes('`') ? null : marks
  return marks[0] === open[0] && marks.length >= open.length && rest.trim() === '' ? null : open
}

function closeFence(text: string): string {
  let open: string | null = null
  for (const line of text.split('\n')) open = fenceAfter(line, open)
  return open === null ? text : `${text}\n${open}`
}

function outsideFences(text: string, change: (line: string) => string): string {
  let open: string | null = null
  return text
    .split('\n')
    .map((line) => {
      const before = open
      open = fenceAfter(line, open)
      return before === null && open === null ? change(line) : line
    })
    .join('\n')
}

const TARGET = /^(?:https?|mailto):[^\s<>]*$/i

/** `[1]` becomes a footnote of this answer; a source that the text does not name is named behind it. */
function withFootnotes(text: string, citations: FileRecordOf<'turn'>['citations'], answer: number): string {
  if (citations.length === 0) return `${text}\n`
  const named = new Set<number>()
  const mark = (n: number): string => `[^${answer}-${n}]`
  const numbers = new Set(citations.map(({ n }) => n))
  const body = outsideFences(text, (line) =>
    line.replaceAll(/\[(\d{1,4})\](?![([:])/g, (whole, digits: string) => {
      if (!numbers.has(Number(digits))) return whole
      named.add(Number(digits))
      return mark(Number(digits))
    })
  )
  const unnamed = citations.filter(({ n }) => !named.has(n))
  const also = unnamed.length === 0 ? '' : `\n\nSources: ${unnamed.map(({ n }) => mark(n)).join(' ')}`
  const notes = citations.map(({ n, title, source, date, url }) => {
    const words = [title, source, date ?? ''].filter((word) => word !== '').map(inline)
    return `${mark(n)}: ${words.join(', ')}${url !== undefined && TARGET.test(url) ? ` <${url}>` : ''}`
  })
  return `${body}${also}\n\n${notes.join('\n')}\n`
}
