// Finds the numbers that an answer cites while it streams, so that each source is sent once and only if it was used.
export interface CitationScan {
  /** Takes the next piece; returns the numbers that are new in it. */
  next(text: string): readonly number[]
}

/** A marker is short: this much of the text before a piece can be the start of one. */
const LONGEST_MARKER = 24
const NONE: readonly number[] = []

export function createCitationScan(): CitationScan {
  const seen = new Set<number>()
  let tail = ''
  return {
    next(text) {
      // Most pieces cite nothing.
      if (tail === '' && !text.includes('[')) return NONE
      const window = tail + text
      const fresh: number[] = []
      // "[1]", and "[1, 3]" as models like to write it.
      for (const match of window.matchAll(/\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g)) {
        for (const number of (match[1] ?? '').split(',').map(Number)) {
          if (!seen.has(number)) fresh.push(number)
          seen.add(number)
        }
      }
      const open = window.lastIndexOf('[')
      tail = open >= 0 && window.length - open <= LONGEST_MARKER && !window.includes(']', open) ? window.slice(open) : ''
      return fresh
    }
  }
}
