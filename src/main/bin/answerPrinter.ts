// A turn as a terminal shows it: the text as it comes, then where it is from and what it took. Pure: strings in, strings
// out. Nothing in an answer can reach the terminal as a command to it.
import { cleanText } from '../../shared/kit/text.ts'
import { applyTurnEvent, emptyTurn, type Citation, type TurnEvent, type TurnView, type Usage } from '../../shared/turn.ts'
import { createEventCleaner } from '../link/answerText.ts'

export interface Printed {
  /** For standard output. */
  readonly out: string
  /** For standard error. */
  readonly note: string
}

export interface AnswerPrinter {
  take(event: TurnEvent): Printed
  /** How the turn stands after what was taken. */
  view(): TurnView
}

export function createAnswerPrinter(turnId: string, json: boolean): AnswerPrinter {
  const clean = createEventCleaner()
  let view = emptyTurn(turnId)
  return {
    view: () => view,
    take(raw) {
      const event = clean(raw)
      const before = view
      view = applyTurnEvent(view, event)
      if (json) return { out: `${safeJson(raw)}\n`, note: '' }
      if (view === before || view.gapAfter !== null) return { out: '', note: '' }
      switch (event.type) {
        case 'delta':
          return { out: event.text, note: '' }
        case 'queued':
          return { out: '', note: `Waiting: ${event.reason}\n` }
        case 'done':
          return { out: closing(view), note: '' }
        case 'failed':
          return { out: view.text === '' ? '' : closing(view), note: `${event.error.message}\n` }
        default:
          return { out: '', note: '' }
      }
    }
  }
}

/** JSON that is also safe to look at: what a terminal could take for a command is escaped. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

function closing(view: TurnView): string {
  const blocks = [
    view.finish === 'length' ? ['The answer was cut at the model’s length limit.'] : [],
    view.notices.map(({ text }) => oneLine(text)),
    view.citations.map(citationLine),
    view.usage === null ? [] : [usageLine(view.usage)]
  ].filter((lines) => lines.length > 0)
  const end = view.text === '' || view.text.endsWith('\n') ? '' : '\n'
  return end + blocks.map((lines) => `\n${lines.join('\n')}\n`).join('')
}

function citationLine({ n, title, source, date, url }: Citation): string {
  const about = [source, ...(date === undefined ? [] : [`as of ${date}`])].filter((part) => part !== '').join(', ')
  return oneLine(`[${n}] ${title}${about === '' ? '' : ` (${about})`}${url === undefined ? '' : ` ${url}`}`)
}

function usageLine(usage: Usage): string {
  const cached = usage.cachedTokens > 0 ? ` (${count(usage.cachedTokens)} cached)` : ''
  const parts = [
    [usage.provider, usage.model].filter((name) => name !== '').join(' · '),
    `tokens: ${count(usage.inputTokens)} in${cached}, ${count(usage.outputTokens)} out`,
    `cost: ${dollars(usage.costMicros)}`,
    `first text: ${milliseconds(usage.firstTextMs)}, total: ${milliseconds(usage.totalMs)}`,
    ...(usage.failovers > 0 ? [`failovers: ${usage.failovers}`] : [])
  ]
  return oneLine(`Provider: ${parts.join(' | ')}`)
}

const oneLine = (text: string): string => cleanText(text).replace(/\s+/g, ' ').trim()
const count = (tokens: number): string => tokens.toLocaleString('en')
const milliseconds = (ms: number): string => (ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms).toLocaleString('en')} ms`)

/** Exact: micro-USD are integers; at least cents are shown. */
export function dollars(micros: number): string {
  const fraction = String(micros % 1_000_000)
    .padStart(6, '0')
    .replace(/0{1,4}$/, '')
  return `$${Math.floor(micros / 1_000_000).toLocaleString('en')}.${fraction}`
}
