// What comes from a service is text from outside: control characters and broken Unicode become harmless before anyone
// stores, shows or prints it. Pieces may be cut inside a character, so a half one waits for the next piece.
import { cleanText } from '../../shared/kit/text.ts'
import type { TurnEvent } from '../../shared/turn.ts'

/** One per turn; give it every event in order. Numbers stay, only texts change. */
export function createEventCleaner(): (event: TurnEvent) => TurnEvent {
  /** The end of the last piece: a high surrogate or a carriage return that may belong to what follows. */
  let held = ''
  return (event) => {
    switch (event.type) {
      case 'delta': {
        const text = held + event.text
        held = /[\uD800-\uDBFF\r]$/.exec(text)?.[0] ?? ''
        return { ...event, text: cleanText(text.slice(0, text.length - held.length)) }
      }
      case 'citation':
        return {
          ...event,
          title: cleanText(event.title),
          source: cleanText(event.source),
          ...(event.url === undefined ? {} : { url: cleanText(event.url) }),
          ...(event.excerpt === undefined ? {} : { excerpt: cleanText(event.excerpt) })
        }
      case 'notice':
        return { ...event, text: cleanText(event.text) }
      case 'status':
        return { ...event, stage: cleanText(event.stage) }
      case 'queued':
        return { ...event, reason: cleanText(event.reason) }
      case 'failed':
        return { ...event, error: { ...event.error, message: cleanText(event.error.message) } }
      case 'usage':
        return { ...event, provider: cleanText(event.provider), model: cleanText(event.model) }
      case 'accepted':
      case 'done':
        return event
    }
  }
}
