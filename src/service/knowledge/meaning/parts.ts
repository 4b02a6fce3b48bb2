// What of a text the model is shown: parts of a passage that it can tell apart, and a question both as it was asked and by the
// words that matter. Pure.
import { conceptsOf } from '../words.ts'

/** The model reads some 100 words; of many sentences together the meaning is nobody's. Measured: 40 words find as much as single sentences. */
const WORDS = 40
const LONGEST = 700
/** Of one passage; a passage has at most 400 words. */
const MOST = 16

/** In the order of the text, each with its heading. Empty for a passage without a word. */
export function partsOf(heading: string, body: string): string[] {
  const above = heading.split(' › ').at(-1) ?? ''
  const parts: { text: string; words: number }[] = []
  for (const sentence of sentencesOf(body)) {
    const words = sentence.split(/\s+/).length
    const last = parts.at(-1)
    if (last !== undefined && last.words + words <= WORDS) {
      last.text += ` ${sentence}`
      last.words += words
    } else if (parts.length < MOST) parts.push({ text: sentence, words })
  }
  return parts.map(({ text }) => `${above === '' ? '' : `${above}: `}${text}`.slice(0, LONGEST).toWellFormed())
}

/** Its own words, and those of them that say what it is about: the mean of both is nearer to what answers it. */
export function questionTexts(question: string): string[] {
  const asked = question.slice(0, LONGEST).toWellFormed()
  const about = conceptsOf(question)
    .map(({ forms: [said = ''] }) => said)
    .join(' ')
    .slice(0, LONGEST)
  return [asked, about].filter((text) => /[\p{L}\p{N}]/u.test(text))
}

function sentencesOf(body: string): string[] {
  const sentences: string[] = []
  let header: string[] | null = null
  for (const line of body.split('\n')) {
    if (!line.startsWith('|')) {
      header = null
      const text = line.replace(/^\s*(?:[-*+]|\d+\.)\s+/, '').replace(/[*`_]/g, '')
      sentences.push(...(text.match(/[^.!?]+(?:[.!?](?!\s|$)[^.!?]*)*[.!?]*/gu) ?? []))
      continue
    }
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
    if (cells.every((cell) => /^:?-+:?$/.test(cell))) continue
    // A row says little without the names of its columns.
    const names = header
    if (names === null) header = cells
    else sentences.push(cells.map((cell, index) => `${names[index] ?? ''}: ${cell}`).join(', '))
  }
  return sentences.map((sentence) => sentence.trim()).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence))
}
