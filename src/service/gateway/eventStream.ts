// Server-sent events of one answer, written once a tick: what is said within one tick of the event loop leaves in one piece, since a
// call of the system for each costs more than all else that is done for it.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

export interface EventStream {
  /** One event as it goes over the wire, its empty line with it. Dropped when the reader has gone. */
  say(event: string): void
  /** So much waits for the reader that the next event should wait as well. */
  readonly isFull: boolean
  /** Resolves when there is room again or the reader has gone; a reader who takes nothing for a minute is cut. */
  room(): Promise<void>
  end(): void
}

const SLOW_READER_MS = 60_000
/** Characters that are held until the end of the tick at most. */
const MOST_HELD = 32_768

/** The head of the response must have been given; it leaves with the first event. */
export function createEventStream(response: ServerResponse, gone: AbortSignal): EventStream {
  let held = ''
  const release = (): void => {
    const text = held
    held = ''
    if (text !== '' && !response.destroyed) response.write(text)
  }
  return {
    say(event) {
      if (held === '') process.nextTick(release)
      held += event
    },
    get isFull() {
      return held.length >= MOST_HELD || response.writableNeedDrain
    },
    async room() {
      release()
      if (gone.aborted || !response.writableNeedDrain) return
      const late = AbortSignal.timeout(SLOW_READER_MS)
      try {
        await once(response, 'drain', { signal: AbortSignal.any([gone, late]) })
      } catch (error) {
        if (!gone.aborted && !late.aborted) throw error
        response.destroy()
      }
    },
    end() {
      const text = held
      held = ''
      response.end(text)
    }
  }
}
