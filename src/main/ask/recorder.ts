// Station 5, the way back: events of live turns go to whoever follows at once, and to the history in batches.
import { CopilotError } from '../../shared/errors.ts'
import { isTerminal, type TurnEvent } from '../../shared/turn.ts'
import type { History, TurnSaved } from '../history/history.ts'

/** Longest time that received text is not yet on disk. A crash costs nothing even so: the turn resumes after what is stored. */
const SAVE_EVERY_MS = 120

export interface RecorderListener {
  /** As they arrive, before they are stored; but `done` and `failed` only when they are durable. */
  onEvents(turnId: string, events: readonly TurnEvent[]): void
  onSaved(turnId: string, saved: TurnSaved): void
}

export interface Recorder {
  /** Takes the next event. Rejects when an earlier batch could not be stored. */
  record(event: TurnEvent): Promise<void>
  /** Stores what has arrived so far. */
  flush(turnId: string): Promise<void>
  /**
   * Live events of one turn, from this call on (not from the first `next`); ends after the terminal one, throws
   * `cancelled` when the signal is aborted. Must be iterated.
   */
  follow(turnId: string, signal: AbortSignal): AsyncGenerator<TurnEvent, void>
}

interface Live {
  pending: TurnEvent[]
  timer: NodeJS.Timeout | null
  writing: Promise<void>
  failure: unknown
}

export function createRecorder(history: History, listener: RecorderListener): Recorder {
  const live = new Map<string, Live>()
  const followers = new Map<string, Set<(event: TurnEvent) => void>>()

  const of = (turnId: string): Live => {
    const existing = live.get(turnId)
    if (existing) return existing
    const fresh: Live = { pending: [], timer: null, writing: Promise.resolve(), failure: null }
    live.set(turnId, fresh)
    return fresh
  }
  const tell = (turnId: string, events: readonly TurnEvent[]): void => {
    listener.onEvents(turnId, events)
    for (const follower of followers.get(turnId) ?? []) for (const event of events) follower(event)
  }
  const write = (turnId: string, turn: Live): Promise<void> => {
    if (turn.timer !== null) clearTimeout(turn.timer)
    turn.timer = null
    turn.writing = turn.writing.then(async () => {
      if (turn.failure !== null || turn.pending.length === 0) return
      const batch = turn.pending
      turn.pending = []
      try {
        const saved = await history.saveEvents(turnId, batch)
        const last = batch.at(-1)
        if (last !== undefined && isTerminal(last)) {
          live.delete(turnId)
          tell(turnId, [last])
        }
        listener.onSaved(turnId, saved)
      } catch (error) {
        turn.failure = error
      }
    })
    return turn.writing
  }
  const check = (turnId: string, turn: Live): void => {
    if (turn.failure === null) return
    live.delete(turnId)
    throw turn.failure
  }

  return {
    async record(event) {
      const fresh = !live.has(event.turnId)
      const turn = of(event.turnId)
      check(event.turnId, turn)
      turn.pending.push(event)
      if (isTerminal(event)) {
        await write(event.turnId, turn)
        check(event.turnId, turn)
        return
      }
      tell(event.turnId, [event])
      // The first one, also of a resumed turn, is stored before the next is taken: from then on the message is known.
      if (fresh) await write(event.turnId, turn)
      else turn.timer ??= setTimeout(() => void write(event.turnId, turn), SAVE_EVERY_MS)
    },
    async flush(turnId) {
      const turn = live.get(turnId)
      if (!turn) return
      await write(turnId, turn)
      check(turnId, turn)
    },
    follow(turnId, signal) {
      const queue: TurnEvent[] = []
      let wake: () => void = () => undefined
      const take = (event: TurnEvent): void => {
        queue.push(event)
        wake()
      }
      const onAbort = (): void => wake()
      const set = followers.get(turnId) ?? new Set()
      followers.set(turnId, set.add(take))
      signal.addEventListener('abort', onAbort, { once: true })
      const leave = (): void => {
        signal.removeEventListener('abort', onAbort)
        set.delete(take)
        if (set.size === 0) followers.delete(turnId)
      }
      async function* events(): AsyncGenerator<TurnEvent, void> {
        try {
          for (;;) {
            if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.')
            const event = queue.shift()
            if (event === undefined) {
              await new Promise<void>((resolve) => {
                wake = resolve
              })
              continue
            }
            yield event
            if (isTerminal(event)) return
          }
        } finally {
          leave()
        }
      }
      return events()
    }
  }
}
