// Picks from the best passages the sentences, bullets and tables that answer a question. Pure.
import type { CitedPassage, Term } from './provider.ts'

type UnitKind = 'sentence' | 'bullet' | 'table'

/** The smallest thing that is quoted whole. */
interface Unit {
  readonly kind: UnitKind
  readonly text: string
  readonly n: number
  /** Place of its passage in the ranking, and its own within the passage. */
  readonly passage: number
  readonly order: number
  readonly score: number
}

export interface Extract {
  readonly lead: Unit | null
  readonly table: Unit | null
  /** In reading order: passage by passage. */
  readonly points: readonly Unit[]
}

const MOST_POINTS = 5
const MOST_TABLE_ROWS = 14
const LONGEST_UNIT = 600
/** Weaker points than this part of the best line say too little of what was asked. */
const LEAST_OF_BEST = 0.3
/** The opening line leads unless another one says much more of what was asked. */
const OPENING_SUFFICES = 0.6

export function extract(passages: readonly CitedPassage[], terms: readonly Term[]): Extract {
  const units = passages.flatMap((passage, index) => unitsOf(passage, index, terms))
  // Articles end with questions to ask the client: good ones, but no answers.
  const sentences = units.filter((unit) => unit.kind !== 'table' && !unit.text.endsWith('?')).sort((a, b) => b.score - a.score)
  const first = opening(passages, units)
  const [strongest] = sentences
  const lead = first !== null && strongest !== undefined && first.score >= strongest.score * OPENING_SUFFICES ? first : (strongest ?? null)
  const table =
    units
      .filter((unit) => unit.kind === 'table' && (unit.passage < 2 || passages[unit.passage]?.slug === passages[0]?.slug))
      .sort((a, b) => b.score - a.score)[0] ?? null
  const best = sentences[0]?.score ?? 0
  const points = sentences
    .filter((unit) => unit !== lead && unit.score >= best * LEAST_OF_BEST)
    .slice(0, table === null ? MOST_POINTS : MOST_POINTS - 2)
    .sort((a, b) => a.passage - b.passage || a.order - b.order)
  return { lead, table, points }
}

/** An article's opening sentence says what the thing is: the best line to start with when its article is the best one. */
function opening(passages: readonly CitedPassage[], units: readonly Unit[]): Unit | null {
  const best = passages[0]
  const index = passages.findIndex((passage) => passage.slug === best?.slug && passage.heading === '')
  return index < 0 ? null : (units.find((unit) => unit.passage === index && unit.kind === 'sentence') ?? null)
}

function unitsOf(passage: CitedPassage, index: number, terms: readonly Term[]): Unit[] {
  const standing = 1 / (1 + index * 0.25)
  return blocksOf(passage.text).map(({ kind, text }, order) => {
    const about = stems(`${text} ${passage.heading}`)
    const matched = terms.reduce((sum, term) => sum + (term.forms.some((form) => contains(about, form)) ? term.weight : 0), 0)
    return { kind, text, n: passage.n, passage: index, order, score: (matched + 0.5) * standing }
  })
}

interface Block {
  readonly kind: UnitKind
  readonly text: string
}

/** Markdown into what can stand alone. Bullets lose their mark, code stays a sentence. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  for (const paragraph of markdown.split(/\n{2,}/)) {
    const lines = paragraph.split('\n').filter((line) => line.trim() !== '')
    if (lines.length > 1 && lines.every((line) => line.trimStart().startsWith('|'))) {
      if (lines.length <= MOST_TABLE_ROWS) blocks.push({ kind: 'table', text: lines.map((line) => line.trim()).join('\n') })
      continue
    }
    let text = ''
    let kind: UnitKind = 'sentence'
    const close = (): void => {
      if (text !== '') blocks.push(...(kind === 'bullet' ? [{ kind, text }] : sentencesOf(text)))
      text = ''
    }
    for (const line of lines) {
      const bullet = /^\s*(?:[-*+]|\d{1,2}[.)])\s+(.*)$/.exec(line)
      if (bullet !== null || /^#{1,6}\s/.test(line)) close()
      if (bullet !== null) {
        kind = 'bullet'
        text = bullet[1] ?? ''
      } else if (/^#{1,6}\s/.test(line)) {
        kind = 'sentence'
      } else {
        if (text === '') kind = 'sentence'
        text += `${text === '' ? '' : ' '}${line.trim()}`
      }
    }
    close()
  }
  return blocks.filter((block) => block.text.length <= LONGEST_UNIT || block.kind === 'table')
}

function sentencesOf(text: string): Block[] {
  return text
    .split(/(?<=[.!?])\s+(?=[\p{Lu}\d"“(*`])/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
    .map((sentence) => ({ kind: 'sentence', text: sentence }))
}

/** Word stems with a space on each side of each: a rough Porter, good enough to match what FTS5 matched. */
function stems(text: string): string {
  return ` ${(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map(stem).join(' ')} `
}

function contains(stemmed: string, form: string): boolean {
  return stemmed.includes(` ${form.split(' ').map(stem).join(' ')} `)
}

function stem(word: string): string {
  if (word.length <= 3) return word
  return word
    .replace(/(ies|ied)$/, 'y')
    .replace(/(ations?|ating|ated|ates?|ators?)$/, 'at')
    .replace(/(ings?|ed|es|s|e)$/, '')
    .replace(/(.)\1$/, '$1')
}
