// Finds what a misspelt word may have been among the words that there are. Pure.

/** Shorter words are too alike to be told apart; below the second length only the ending may be wrong, below the third one letter, else two. */
const SHORTEST = 5
const MIDDLE = 6
const LONG = 9
/** Of the word: a shorter stem says too little of it. */
const SHORTEST_PART = 0.55
const MOST_FOUND = 3

export function canBeMisspelt(word: string): boolean {
  return word.length >= SHORTEST && /^\p{L}+$/u.test(word)
}

/**
 * The stems nearest to a word that nobody wrote: a stem has lost its ending, so the beginning of the word is compared
 * ("liabilty" begins as "liabil" does). Empty when none is near.
 */
export function nearestStems(word: string, stems: Iterable<string>): string[] {
  const most = word.length < MIDDLE ? 0 : word.length < LONG ? 1 : 2
  let best = most
  let found: string[] = []
  for (const stem of stems) {
    if (stem.length < SHORTEST || stem.length > word.length + most || stem.length < word.length * SHORTEST_PART) continue
    const distance = distanceToBeginning(word, stem, best)
    if (distance > best) continue
    if (distance < best) found = []
    best = distance
    found.push(stem)
  }
  // The longest share most with it.
  return found.toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1)).slice(0, MOST_FOUND)
}

/** Letters to change, add, leave out or swap until `stem` is a beginning of `word`; more than `most`: `most + 1`. */
function distanceToBeginning(word: string, stem: string, most: number): number {
  let before: number[] = []
  let above = Array.from({ length: word.length + 1 }, (_, index) => index)
  for (let row = 1; row <= stem.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= word.length; column += 1) {
      const isSame = stem[row - 1] === word[column - 1]
      let least = Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (above[column - 1] ?? 0) + (isSame ? 0 : 1))
      if (row > 1 && column > 1 && stem[row - 1] === word[column - 2] && stem[row - 2] === word[column - 1]) {
        least = Math.min(least, (before[column - 2] ?? 0) + 1)
      }
      current.push(least)
    }
    if (Math.min(...current) > most) return most + 1
    before = above
    above = current
  }
  return Math.min(...above)
}
