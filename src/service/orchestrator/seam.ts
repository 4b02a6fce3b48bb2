// The seam between what one provider said and how another goes on: what the second repeats of it is left out, piece by
// piece, so that a person reads one text.

export interface Seam {
  /** What of this piece is new; empty while it may still be a repetition. */
  next(text: string): string
  /** What was held back when the continuation ends. */
  end(): string
}

export interface SeamOptions {
  /**
   * The continuation was told to repeat these last words first, so even a short repetition is one; without them only a long
   * one is, for a text may well go on with a word it ended with. Empty: it goes on by itself.
   */
  readonly anchor: string
}

/** How far back a repetition is looked for, besides a repetition from the very beginning. */
const LONGEST_LOOK = 4_000
/** A repetition shorter than this may be chance where none was asked for. */
const SURE = 20
/** Where one was asked for. */
const LIKELY = 3

/** The last words of a text, whole ones, for a continuation to begin with: the seam finds them again. */
export function anchorOf(said: string, words = 6): string {
  const tail = said.slice(-400)
  const starts = [...tail.matchAll(/(?<=^|\s)\S/gu)].map((match) => match.index)
  const from = starts.at(-words) ?? starts[0]
  const anchor = from === undefined ? '' : tail.slice(from)
  return anchor.isWellFormed() ? anchor : ''
}

export function createSeam(said: string, { anchor }: SeamOptions): Seam {
  /** Places in `said` where a repetition may have begun, as long as everything since agrees. */
  let alive = startsIn(said)
  let held = ''
  /** White space before the first word, where the continuation was told to begin with one. */
  let lead = ''
  /** Length of the longest repetition that reached the end of what was said. */
  let repeated = 0
  let done = said === ''

  const isRepetition = (start: number): boolean => {
    const length = said.length - start
    return length >= (start === 0 || anchor !== '' ? LIKELY : SURE)
  }

  const advance = (piece: string): void => {
    const text = anchor !== '' && held === '' ? piece.trimStart() : piece
    lead += piece.slice(0, piece.length - text.length)
    let isTold = false
    for (let index = 0; index < text.length && alive.length > 0; index += 1) {
      if (isTold) break
      const position = held.length + index
      const unit = text.charCodeAt(index)
      alive = alive.filter((start) => {
        const at = start + position
        if (said.charCodeAt(at) !== unit) return false
        if (at < said.length - 1) return true
        isTold ||= anchor !== '' && start === said.length - anchor.length
        if (isRepetition(start)) repeated = Math.max(repeated, said.length - start)
        return false
      })
    }
    held += text
    if (!isTold) return
    // It did what it was told: in a text full of repetitions a longer one would be chance.
    repeated = anchor.length
    alive = []
  }

  const release = (): string => {
    done = true
    const rest = repeated > 0 ? held.slice(repeated) : lead + held
    held = ''
    lead = ''
    if (anchor === '' || repeated > 0 || !/[\p{L}\p{N}]$/u.test(said) || !/^[\p{L}\p{N}]/u.test(rest)) return rest
    // It was told to begin with whole words and did not: two words, not one.
    return ` ${rest}`
  }

  return {
    next(text) {
      if (done) return text
      advance(text)
      return alive.length > 0 ? '' : release()
    },
    end() {
      if (done) return ''
      // It ended within a repetition: a long one brought nothing new.
      if (alive.length > 0 && held.length >= SURE) repeated = held.length
      return release()
    }
  }
}

/** A repetition begins with what was said first, or with a word. */
function startsIn(said: string): number[] {
  const from = Math.max(0, said.length - LONGEST_LOOK)
  const starts: number[] = said === '' ? [] : [0]
  for (let index = Math.max(1, from); index < said.length; index += 1) {
    if (/\s/.test(said[index - 1] ?? '') && !/\s/.test(said[index] ?? '')) starts.push(index)
  }
  return starts
}
