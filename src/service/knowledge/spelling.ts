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

/** Words that one may have been. */
export interface Near {
  /** Letters that are wrong; whatever it is where there are none. */
  readonly distance: number
  readonly stems: readonly string[]
}

/**
 * The stems nearest to a word that nobody wrote: a stem has lost its ending, so the beginning of the word is compared
 * ("liabilty" begins as "liabil" does). Empty when none is near.
 */
export function nearestStems(word: string, stems: Iterable<string>): Near {
  const most = word.length < MIDDLE ? 0 : word.length < LONG ? 1 : 2
  let best = most
  let found: string[] = []
  for (const stem of stems) {
    if (stem.length < SHORTEST || stem.length > word.length + most || stem.length < word.length * SHORTEST_PART) continue
    const distance = distanceToBeginning(word, stem, { most: best })
    if (distance > best) continue
    if (distance < best) found = []
    best = distance
    found.push(stem)
  }
  return { distance: best, stems: first(found) }
}

/** The nearest of what several shelves have. */
export function nearestOf(shelves: readonly Near[]): readonly string[] {
  const near = shelves.filter(({ stems }) => stems.length > 0)
  const best = Math.min(...near.map(({ distance }) => distance))
  return first([...new Set(near.flatMap(({ distance, stems }) => (distance === best ? stems : [])))])
}

/** The longest share most with the word. */
function first(stems: readonly string[]): string[] {
  return stems.toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1)).slice(0, MOST_FOUND)
}

interface From {
  /** Letters that may be wrong from here on. */
  readonly most: number
  /** Letters of the word, and of the stem, that are done with. */
  readonly inWord?: number
  readonly inStem?: number
}

/**
 * Letters to change, add, leave out or swap until `stem` is a beginning of `word`; more than `most`: `most + 1`. Letters that agree are
 * passed over, and at one that does not each of the four is tried: with so few allowed that is far less than a table of all.
 */
function distanceToBeginning(word: string, stem: string, { most, inWord = 0, inStem = 0 }: From): number {
  let at = inWord
  let of = inStem
  while (of < stem.length && word[at] === stem[of]) {
    at += 1
    of += 1
  }
  if (of === stem.length) return 0
  if (most === 0) return 1
  let least = most
  const attempt = (wordLetters: number, stemLetters: number): void => {
    // Only better ones count.
    if (least > 0) least = Math.min(least, distanceToBeginning(word, stem, { most: least - 1, inWord: at + wordLetters, inStem: of + stemLetters }))
  }
  attempt(0, 1)
  if (at < word.length) {
    attempt(1, 1)
    attempt(1, 0)
    if (word[at] === stem[of + 1] && word[at + 1] === stem[of]) attempt(2, 2)
  }
  return least + 1
}
