// The numbers that sources are shown under. A service numbers what it found; an answer cites some of it: people count 1, 2, 3. Pure.
import type { Citation } from '../../shared/turn.ts'

/** The shown number of the source that the text calls `n`; null when the answer has none of that number. */
export function shownNumber(citations: readonly Citation[], n: number): number | null {
  const place = citations.findIndex((citation) => citation.n === n)
  return place < 0 ? null : place + 1
}

/** Fenced blocks and code in a line: `list[1]` in there is no citation. */
const CODE = /(```[\s\S]*?(?:```|$)|`[^`\n]*`)/

/** An answer's text for the clipboard, with the numbers that are on the screen. */
export function withShownNumbers(text: string, citations: readonly Citation[]): string {
  if (citations.every((citation, place) => citation.n === place + 1)) return text
  return text
    .split(CODE)
    .map((part, index) =>
      index % 2 === 1 ? part : part.replace(/\[(\d{1,3})\]/g, (whole, n: string) => `[${shownNumber(citations, Number(n)) ?? whole.slice(1, -1)}]`)
    )
    .join('')
}
