// What npm run load asks and is answered: question and answer follow from a number, so that the upstream and the clients each
// know every byte without telling each other. Plain words: nothing that a filter could take for a person's data.
const WORDS = (
  'amber anchor apple arch autumn barn basin beacon birch bridge brook candle canyon cedar cliff clover copper coral cotton ' +
  'creek delta dune elm ember fern field fjord flint forest garden glacier granite harbor hazel heron hill island ivory jade juniper ' +
  'lagoon lake lantern linen maple marble meadow mill moss oak ocean olive orchard pearl pine plain prairie quartz reef ridge river saddle willow'
).split(' ')

const MARK = 'Load question '

/** The question of that number; no two are the same. */
export function questionOf(number: number): string {
  return `${MARK}${number}: what do ${wordOf(number, 0)} and ${wordOf(number, 1)} have in common?`
}

/** The number of the last question in a conversation; -1: there is none. */
export function numberIn(conversation: string): number {
  const at = conversation.lastIndexOf(MARK)
  return at < 0 ? -1 : Number.parseInt(conversation.slice(at + MARK.length, at + MARK.length + 16), 10)
}

/** The answer as the upstream says it. The first piece holds the number in words: no two answers are the same. */
export function piecesOf(number: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => {
    const said = index === 0 ? spelled(number) : [2, 3, 4, 5].map((offset) => wordOf(number, index * 8 + offset)).join(' ')
    return index === count - 1 ? `${said}.` : `${said} `
  })
}

/** Four digits to the base of the words. */
function spelled(number: number): string {
  const base = WORDS.length
  return [3, 2, 1, 0].map((place) => WORDS[Math.floor(number / base ** place) % base]).join(' ')
}

/** Scattered over the words by multiplication with odd constants. */
function wordOf(number: number, place: number): string {
  const scattered = Math.imul(Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(place + 1, 0x85ebca6b), 0xc2b2ae35) >>> 0
  return WORDS[(scattered >>> 8) % WORDS.length] ?? ''
}
