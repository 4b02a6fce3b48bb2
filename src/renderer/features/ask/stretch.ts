// How a loaded stretch of message ids changed; the list must know to hold its place. Pure.

export type StretchChange = 'same' | 'earlier' | 'later' | 'replaced'

/** `earlier`: rows were put in front only. `later`: the front is as it was. `replaced`: no place can be held. */
export function changeOf(before: readonly string[], after: readonly string[]): StretchChange {
  if (before.length === 0) return after.length === 0 ? 'same' : 'later'
  const first = before[0]
  if (after[0] === first) return 'later'
  const at = first === undefined ? -1 : after.indexOf(first)
  if (at > 0 && after.at(-1) === before.at(-1) && after.length - at === before.length) return 'earlier'
  return 'replaced'
}
