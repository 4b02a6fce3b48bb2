// The pieces of an answer come in events that differ in their text alone: once one of them has been parsed, the others are read by
// comparing what stands around the text, for a tenth of the cost. Between the events of an answer and its codec. Pure.
import type { AnswerReader, AnswerSink } from './codec.ts'

/** The fields of an event that may differ, as the maker calls them. All but the text are fields that the reader passes over. */
export interface TextTemplateOptions {
  readonly text: string
  /** Differs from event to event: random letters by which a maker hides how long the text is. */
  readonly padding?: string
  /** Differ from answer to answer: an id, a time. */
  readonly stamps?: readonly string[]
}

/** What may differ: the plain string of the text or of a field that nobody reads, or the whole number of one. */
interface Hole {
  readonly field: 'text' | 'padding' | 'stamp'
  readonly isNumber: boolean
}

/** An event cut at what may differ: before, between and behind the holes, quotation marks included. */
interface Template {
  /** One more than there are holes. */
  readonly segments: readonly string[]
  readonly holes: readonly Hole[]
}

/** Stand for any text and any number while an event is tried as a template. */
const ANY_TEXT = 'any text'
const ANY_NUMBER = '1234567890'
/** Upstreams whose events differ in more are not tried for ever: events of one answer parsed in vain, in a row. */
const MOST_VAIN = 3
/** What ends a string in JSON, or is not written as itself in it. */
// oxlint-disable-next-line no-control-regex -- JSON has no control characters in a string
const unplain = /["\\\u0000-\u001f]/
const wholeNumber = /^[1-9]\d{0,14}$/

/**
 * Makes readers that read like the ones they are given, for the answers of one upstream. A reader must tell a text as it stands, and
 * keep nothing in mind of an event that is only text. Exact, whatever comes: an event is read by a template only where it is, letter by
 * letter, one that was parsed, but for what is inside of its holes, and that is plain. That one hole is the text, and that nothing else
 * is heard of such an event, the reader has shown when it read the template with other fillings.
 */
export function createTextTemplates(names: TextTemplateOptions): (reader: AnswerReader) => AnswerReader {
  /** Of any answer of this upstream. */
  let shape: Template | null = null
  const ear = createEar()
  return (reader) => {
    /** Of this answer, with its stamps filled in: fewer holes are read sooner. */
    let template: Template | null = null
    let vain = 0
    const textOf = (data: string): string | null => {
      const text = template === null ? null : textIn(data, template)
      if (text !== null || shape === null) return text
      const found = textIn(data, shape)
      if (found !== null) template = stamped(data, shape)
      return found
    }
    return {
      read(data, sink) {
        const text = textOf(data)
        if (text !== null) {
          vain = 0
          return sink.text(text)
        }
        if (vain >= MOST_VAIN) return reader.read(data, sink)
        const only = ear.hear(reader, data, sink)
        if (only === null || only === '' || unplain.test(only)) return
        vain += 1
        const found = templateOf(data, only, names)
        if (found === null || ear.hear(reader, filled(found), silent) !== ANY_TEXT) return
        shape = found
        template = stamped(data, found)
      }
    }
  }
}

/** Null: it is another event, or one whose text is not written plainly, or empty: how those are to be read is the reader's business. */
function textIn(data: string, { segments, holes }: Template): string | null {
  const [head = ''] = segments
  if (!standsAt(data, head, 0)) return null
  let text = ''
  let at = head.length
  for (let index = 0; index < holes.length; index += 1) {
    const next = segments[index + 1] ?? ''
    const end = data.indexOf(next.charAt(0), at)
    if (end < 0 || !standsAt(data, next, end)) return null
    const inside = data.slice(at, end)
    const hole = holes[index]
    if (hole?.isNumber === true ? !wholeNumber.test(inside) : unplain.test(inside)) return null
    if (hole?.field === 'text') text = inside
    at = end + next.length
  }
  return at === data.length && text !== '' ? copied(text) : null
}

/** What is cut out of a string keeps all of it in memory, and answers are kept for minutes; what is cut out of a copy keeps the copy. */
function copied(text: string): string {
  return ` ${text}`.slice(1)
}

/** `startsWith` compares letter by letter, which takes fifteen times as long for what is around a text. */
function standsAt(data: string, what: string, at: number): boolean {
  return data.slice(at, at + what.length) === what
}

/** The template of one answer, from an event of it that is of this shape. */
function stamped(data: string, { segments, holes }: Template): Template {
  const own: { segments: string[]; holes: Hole[] } = { segments: [], holes: [] }
  let from = 0
  let at = segments[0]?.length ?? 0
  for (const [index, hole] of holes.entries()) {
    const next = segments[index + 1] ?? ''
    const end = data.indexOf(next.charAt(0), at)
    if (hole.field !== 'stamp') {
      own.segments.push(data.slice(from, at))
      own.holes.push(hole)
      from = end
    }
    at = end + next.length
  }
  own.segments.push(data.slice(from))
  return own
}

function filled({ segments, holes }: Template): string {
  return segments.map((segment, index) => (index === 0 ? '' : holes[index - 1]?.isNumber === true ? ANY_NUMBER : ANY_TEXT) + segment).join('')
}

/** Null: the text is not to be found in it as a plain string. */
function templateOf(data: string, text: string, names: TextTemplateOptions): Template | null {
  const found: { from: number; to: number; hole: Hole }[] = []
  const add = (field: Hole['field'], name: string, value?: string): void => {
    const place = placeOf(data, name, value)
    if (place === null || found.some(({ from, to }) => place.from <= to && from <= place.to)) return
    found.push({ ...place, hole: { field, isNumber: place.isNumber } })
  }
  add('text', names.text, text)
  if (found.length === 0) return null
  if (names.padding !== undefined) add('padding', names.padding)
  for (const stamp of names.stamps ?? []) add('stamp', stamp)
  found.sort((a, b) => a.from - b.from)
  const segments = [...found.map(({ from }, index) => data.slice(found[index - 1]?.to ?? 0, from)), data.slice(found.at(-1)?.to)]
  return { segments, holes: found.map(({ hole }) => hole) }
}

interface Place {
  readonly from: number
  readonly to: number
  readonly isNumber: boolean
}

/** Where the first plain value of a field stands, without its quotation marks; with `value`, the first string that is this. */
function placeOf(data: string, field: string, value?: string): Place | null {
  const key = `"${field}"`
  for (let at = data.indexOf(key); at >= 0; at = data.indexOf(key, at + key.length)) {
    const colon = beyondSpace(data, at + key.length)
    if (data[colon] !== ':') continue
    const start = beyondSpace(data, colon + 1)
    if (data[start] === '"') {
      const to = data.indexOf('"', start + 1)
      const found = data.slice(start + 1, to)
      if (to > 0 && !unplain.test(found) && (value === undefined || found === value)) return { from: start + 1, to, isNumber: false }
    } else if (value === undefined) {
      const [number = ''] = /^\d+(?=[,} ])/.exec(data.slice(start, start + 20)) ?? []
      if (wholeNumber.test(number)) return { from: start, to: start + number.length, isNumber: true }
    }
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
