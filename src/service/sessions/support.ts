// How far an answer is backed by its sources: the `confidence_score` of the thread dialect. It is counted, not guessed: no
// model is asked what it thinks of its own answer.

/**
 * From 0 to 1: the share of statements that name a source (`[1]`). A statement is a line of a list or a table, or a paragraph;
 * headings, and paragraphs that only lead in to a list, state nothing.
 */
export function supportOf(answer: string): number {
  const statements = answer
    .split(/\n\s*\n|\n(?=\s*(?:[-*•|]|\d+[.)])\s*)/)
    .map((part) => part.trim())
    .filter((part) => /\p{L}{2,}/u.test(part) && !part.startsWith('#') && !part.endsWith(':'))
  if (statements.length === 0) return 0
  return Math.round((statements.filter((part) => /\[\d{1,3}\]/.test(part)).length / statements.length) * 100) / 100
}
