// The pieces of one answer come in events that differ in their text alone: once one of them has been parsed, the others are read by
// comparing what stands around the text, for a tenth of the cost. Between the events of an answer and its codec. Pure.
import type { AnswerReader, AnswerSink } from './codec.ts'

export interface TextTemplateOptions {
  /** The field that holds the text, as the maker calls it. */
  readonly text: string
  /** A field of random letters that nobody reads, by which a maker hides how long the text is; absent: none. */
  readonly padding?: string
}

/** An event cut at the strings that may differ: what is before, between and behind them, quotation marks included. */
interface Template {
  readonly segments: readonly string[]
  /** Which of the strings is the text. */
  readonly textAt: number
}

/** Stands for any text while an event is tried as a template. */
const PROBE = 'any text'
/** Upstreams whose events differ in more are not tried for ever: events parsed in vain, in a row, before templates are given up. */
const MOST_VAIN = 3
/** What ends a string in JSON, or is not written as itself in it. */
// oxlint-disable-next-line no-control-regex -- JSON has no control characters in a string
const unplain = /["\\\u0000-\u001f]/

/**
 * Reads like `reader`, which must tell a text as it stands and keep nothing in mind of an event that is only text. Exact, whatever
 * comes: an event is read by a template only where it is the event that was parsed, letter by letter, but for a plain text inside the
 * text's string (and the padding's). That this string is the text, and that nothing else is heard of such an event, `reader` has shown.
 */
export function withTextTemplate(reader: AnswerReader, names: TextTemplateOptions): AnswerReader {
  const ear = createEar()
  let template: Template | null = null
  let vain = 0
  return {
    read(data, sink) {
      const text = template === null ? null : textIn(data, template)
      if (text !== null) {
        vain = 0
        return sink.text(text)
      }
      if (vain >= MOST_VAIN) return reader.read(data, sink)
      const only = ear.hear(reader, data, sink)
      if (only === null || only === '' || unplain.test(only)) return
      vain += 1
      const found = templateOf(data, only, names)
      if (found !== null && ear.hear(reader, found.segments.join(PROBE), silent) === PROBE) template = found
    }
  }
}

/** Null: it is another event, or one whose text is not written plainly, or empty: how those are to be read is the reader's business. */
function textIn(data: string, { segments, textAt }: Template): string | null {
  const [head = ''] = segments
  if (!standsAt(data, head, 0)) return null
  let text = ''
  let at = head.length
  for (let index = 1; index < segments.length; index += 1) {
    const next = segments[index] ?? ''
    const end = data.indexOf('"', at)
    if (end < 0 || !standsAt(data, next, end)) return null
    const inside = data.slice(at, end)
    if (unplain.test(inside)) return null
    if (index - 1 === textAt) text = inside
    at = end + next.length
  }
  return at === data.length && text !== '' ? text : null
}

/** `startsWith` compares letter by letter, which takes fifteen times as long for what is around a text. */
function standsAt(data: string, what: string, at: number): boolean {
  return data.slice(at, at + what.length) === what
}

/** Null: the text is not to be found in it, or not as a plain string. */
function templateOf(data: string, text: string, { text: field, padding }: TextTemplateOptions): Template | null {
  const from = valueAt(data, field, text)
  if (from === null) return null
  const holes = [{ from, to: from + text.length }]
  const other = padding === undefined ? null : valueAt(data, padding)
  if (other !== null && other !== from) holes.push({ from: other, to: data.indexOf('"', other) })
  holes.sort((a, b) => a.from - b.from)
  const segments = [...holes, { from: data.length, to: 0 }].map((hole, index) => data.slice(holes[index - 1]?.to ?? 0, hole.from))
  return { segments, textAt: holes.findIndex((hole) => hole.from === from) }
}

/** Where the plain string of a field begins, behind its quotation mark; of the first with this value. Null: there is none. */
function valueAt(data: string, field: string, value?: string): number | null {
  const key = `"${field}"`
  for (let at = data.indexOf(key); at >= 0; at = data.indexOf(key, at + key.length)) {
    const colon = beyondSpace(data, at + key.length)
    const quote = beyondSpace(data, colon + 1)
    if (data[colon] !== ':' || data[quote] !== '"') continue
    const found = data.slice(quote + 1, data.indexOf('"', quote + 1))
    if (!unplain.test(found) && (value === undefined || found === value)) return quote + 1
  }
  return null
}

function beyondSpace(data: string, from: number): number {
  let at = from
  while (data[at] === ' ') at += 1
  return at
}

/** Listens whether an event is a text and nothing else; what it hears it passes on. */
function createEar() {
  let target: AnswerSink = silent
  let calls = 0
  let said: string | null = null
  const other = (): AnswerSink => {
    calls += 1
    said = null
    return target
  }
  const sink: AnswerSink = {
    text(text) {
      calls += 1
      said = calls === 1 ? text : null
      target.text(text)
    },
    alive: () => other().alive(),
    usage: (usage) => other().usage(usage),
    finish: (reason) => other().finish(reason),
    end: () => other().end()
  }
  return {
    /** The text; null: there was more to hear, or less. */
    hear(reader: AnswerReader, data: string, listener: AnswerSink): string | null {
      target = listener
      calls = 0
      said = null
      reader.read(data, sink)
      return said
    }
  }
}

const nothing = (): void => undefined
const silent: AnswerSink = { text: nothing, alive: nothing, usage: nothing, finish: nothing, end: nothing }
