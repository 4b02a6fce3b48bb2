// The turns of the scripted peer: one numbered log per turn id, made once however often it is asked for.
import { systemClock } from '../../src/shared/kit/clock.ts'
import { isTerminal, type TurnEvent, type TurnEventBody } from '../../src/shared/turn.ts'

/** One event to tell, or something to wait for before going on. */
export type Step = TurnEventBody | { readonly type: 'wait'; readonly until: Promise<unknown> }

interface Log {
  readonly events: TurnEvent[]
  readonly listeners: Set<() => void>
}

export interface PeerTurns {
  /** Starts the turn unless it has been; then tells its events after `afterSeq` until the end or the signal. */
  follow(turn: { readonly turnId: string; readonly text: string; readonly afterSeq: number }, signal: AbortSignal): AsyncGenerator<TurnEvent>
  cancel(turnId: string): boolean
  script(text: string, steps: readonly Step[]): void
}

export const delta = (text: string): TurnEventBody => ({ type: 'delta', text })
export const done: TurnEventBody = { type: 'done', messageId: 'm-1', finish: 'stop' }
export const accepted: TurnEventBody = { type: 'accepted', messageId: 'm-1' }
/** What an unscripted question gets: itself, word by word. */
const echo = (text: string): Step[] => [accepted, ...(text.match(/\S+\s*/gu) ?? []).map(delta), done]

export function createPeerTurns(): PeerTurns {
  const scripts = new Map<string, readonly Step[]>()
  const logs = new Map<string, Log>()

  function publish(turnId: string, log: Log, body: TurnEventBody): void {
    const last = log.events.at(-1)
    if (last !== undefined && isTerminal(last)) return
    log.events.push({ ...body, turnId, seq: log.events.length + 1, at: systemClock.now() })
    for (const listener of log.listeners) listener()
  }

  async function play(turnId: string, log: Log, steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.type === 'wait') await step.until
      else publish(turnId, log, step)
    }
  }

  function logOf(turnId: string, text: string): Log {
    const known = logs.get(turnId)
    if (known !== undefined) return known
    const log: Log = { events: [], listeners: new Set() }
    logs.set(turnId, log)
    void play(turnId, log, scripts.get(text) ?? echo(text))
    return log
  }

  return {
    script: (text, steps) => void scripts.set(text, steps),
    cancel(turnId) {
      const log = logs.get(turnId)
      if (log === undefined) return false
      publish(turnId, log, { type: 'failed', error: { code: 'cancelled', message: 'Stopped.' } })
      return true
    },
    async *follow({ turnId, text, afterSeq }, signal) {
      const log = logOf(turnId, text)
      let next = afterSeq
      let wake: (() => void) | null = null
      const listener = (): void => wake?.()
      log.listeners.add(listener)
      signal.addEventListener('abort', listener)
      try {
        while (!signal.aborted) {
          const event = log.events[next]
          if (event === undefined) {
            await new Promise<void>((resolve) => (wake = resolve))
            continue
          }
          next += 1
          yield event
          if (isTerminal(event)) return
        }
      } finally {
        log.listeners.delete(listener)
        signal.removeEventListener('abort', listener)
      }
    }
  }
}
