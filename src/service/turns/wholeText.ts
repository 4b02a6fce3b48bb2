// Pieces of an answer as whole characters: the wires are UTF-8, where half a surrogate pair would become a replacement sign.

export interface WholeText {
  /** The text so far unsaid, well-formed; a first half at its end waits for its other half. */
  next(text: string): string
  /** What still waits when nothing will come any more. */
  end(): string
}

export function createWholeText(): WholeText {
  let half = ''
  return {
    next(text) {
      const joined = half + text
      const last = joined.charCodeAt(joined.length - 1)
      half = last >= 0xd800 && last <= 0xdbff ? joined.slice(-1) : ''
      return joined.slice(0, joined.length - half.length).toWellFormed()
    },
    end() {
      const rest = half.toWellFormed()
      half = ''
      return rest
    }
  }
}
