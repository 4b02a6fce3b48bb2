// An answer that a restart broke off is asked for once more, and told on from where it stopped: only if the second telling
// begins with every word of the first. A model that says it otherwise this time never continues what somebody has read.
import type { AgentEvent } from '../agent/agent.ts'
import type { TurnEvent } from '../../shared/turn.ts'
import { createWholeText } from './wholeText.ts'

export interface Retrace {
  /** What is new in this event; null: it had been said. `parted`: the second telling differs from the first, now and for good. */
  take(event: AgentEvent): AgentEvent | 'parted' | null
  /** Whether the first telling has been told again to its end. */
  readonly caughtUp: boolean
}

/** Most turns are told once. */
const firstTelling: Retrace = { caughtUp: true, take: (event) => event }

/** @param past the turn's events so far. */
export function createRetrace(past: readonly TurnEvent[]): Retrace {
  if (past.length === 0) return firstTelling
  const said = past.map((event) => (event.type === 'delta' ? event.text : '')).join('')
  const cited = new Set(past.flatMap((event) => (event.type === 'citation' ? [event.n] : [])))
  const noticed = new Set(past.flatMap((event) => (event.type === 'notice' ? [`${event.kind}: ${event.text}`] : [])))
  const counted = past.some(({ type }) => type === 'usage')
  const whole = createWholeText()
  let told = 0
  let parted = false

  function delta(text: string): AgentEvent | 'parted' | null {
    // What was said is whole characters; compared with halves it would seem to part.
    const fresh = whole.next(text)
    const known = fresh.slice(0, said.length - told)
    if (!said.startsWith(known, told)) {
      parted = true
      return 'parted'
    }
    told += known.length
    return fresh.length === known.length ? null : { type: 'delta', text: fresh.slice(known.length) }
  }

  return {
    get caughtUp() {
      return told === said.length
    },
    take(event) {
      if (parted) return 'parted'
      switch (event.type) {
        case 'delta':
          return delta(event.text)
        case 'citation':
          return cited.has(event.n) ? null : event
        case 'notice':
          return noticed.has(`${event.kind}: ${event.text}`) ? null : event
        case 'usage':
          return counted ? null : event
        case 'status':
        case 'queued':
          // Who reads half an answer is not told that it is being looked for.
          return told === said.length ? event : null
      }
    }
  }
}
