// What the scripted model answers: fixed by the question alone, and made of what breaks when bytes are treated carelessly.
import { createDice, seedFrom } from './dice.ts'

const PIECES = [
  'A private subnet ',
  'costs less than it seems; ',
  'größer, façade, naïve ',
  '日本語の文章 ',
  '👩‍👩‍👧‍👦 and 🏳️‍🌈 ',
  // A surrogate pair in two pieces: each half is well-formed only with the other.
  '\ud83d',
  '\ude80 ',
  // Combining marks apart from their letters.
  'e',
  '\u0301\u0323 ',
  'مرحبا بالعالم ',
  'שלום \u200f(עולם)\u200e ',
  '\n```ts\nconst a = `${1}`\n```\n',
  '| a | b |\n| - | - |\n',
  '<b>&amp;</b> ',
  '\t\u00a0\u2060',
  '\u2028\u2029',
  ' ',
  '\n\n'
] as const

/**
 * The answer to a question, in the pieces in which it is streamed. Surrogate halves always come in pairs.
 * @param length how many pieces, about.
 */
export function answerTo(question: string, length: number): readonly string[] {
  const dice = createDice(seedFrom(question))
  const pieces = [`About “${question}”: `]
  while (pieces.length < length) {
    const at = dice.between(0, PIECES.length - 1)
    const piece = PIECES[at] ?? ''
    if (piece === '\ude80 ') continue
    pieces.push(piece, ...(piece === '\ud83d' ? ['\ude80 '] : []), String(pieces.length))
  }
  return [...pieces, 'End.']
}

/** How long an answer is to be is said by its question, so that every station's copy of the text knows it. */
export function lengthWanted(question: string): number {
  return Number(/\[(\d+) pieces\]/.exec(question)?.[1] ?? 8)
}

/** The whole answer, as it must stand in every store. */
export function wholeAnswer(question: string): string {
  return answerTo(question, lengthWanted(question)).join('')
}
