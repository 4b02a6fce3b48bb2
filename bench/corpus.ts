// Text for benchmarks: English function words and made-up words, as often as Zipf's law has it. The same seed gives the
// same text, so that runs can be compared.

export interface Corpus {
  /** From the most to the least frequent. */
  readonly vocabulary: readonly string[]
  /** A message of about 400 characters. */
  message(): string
  /** Uniform in [0, 1). */
  random(): number
}

const FUNCTION_WORDS =
  'the of and to in is for that on with as are this be by it or from an at we can not your which you have will has all more one if use their'.split(
    ' '
  )
const SYLLABLES =
  'mi gra ti on clo ud cost re ser ve in stan ce da ta ba se net work sec ur ity a com pute sto rage be lo ad bal an cer ku ber nes ter ra form pol icy'.split(
    ' '
  )
const VOCABULARY_SIZE = 50_000

/** xorshift32: enough for text, and the same everywhere. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
}

export function createCorpus(seed = 12_345): Corpus {
  const random = randomFrom(seed)
  const pickFrom = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? ''
  const seen = new Set(FUNCTION_WORDS)
  while (seen.size < VOCABULARY_SIZE) {
    let word = ''
    for (let left = 2 + Math.floor(random() * 3); left > 0; left--) word += pickFrom(SYLLABLES)
    if (random() < 0.3) word += String.fromCharCode(97 + Math.floor(random() * 26))
    seen.add(word)
  }
  const vocabulary = [...seen]
  // Zipf–Mandelbrot: frequency falls with rank + 2.7.
  const cumulative = new Float64Array(vocabulary.length)
  let total = 0
  for (let rank = 0; rank < vocabulary.length; rank++) {
    total += 1 / (rank + 2.7)
    cumulative[rank] = total
  }
  function word(): string {
    const wanted = random() * total
    let [low, high] = [0, cumulative.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((cumulative[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    return vocabulary[low] ?? ''
  }
  return {
    vocabulary,
    random,
    message() {
      const length = 200 + random() * 400
      const words: string[] = []
      for (let at = 0; at < length;) {
        const next = word()
        words.push(next)
        at += next.length + 1
      }
      return words.join(' ')
    }
  }
}
