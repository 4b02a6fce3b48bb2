// What processes tell each other about turns, by Redis' channels, on a connection of its own. A message may get lost: the log is
// the truth, whoever is called only looks there, and everybody looks now and then without a call.
import { z } from 'zod'
import type { RedisConnection } from '../store/redis.ts'
import { turnKeys } from './turnKeys.ts'

export interface TurnNews {
  /** Calls back when there may be more of the turn in the log; the result ends it. */
  watch(turnId: string, listener: () => void): () => void
  /** Calls everybody, and asks again for what Redis refused to tell. */
  ring(): void
  stop(): Promise<void>
}

export interface AskedToEnd {
  readonly turnId: string
  readonly userId: string
}

export interface TurnNewsOptions {
  readonly redis: RedisConnection
  /** This process. */
  readonly owner: string
  /** Another process wants a turn of this one ended. */
  readonly onAsked: (asked: AskedToEnd) => void
  /** A turn was left to the others. */
  readonly onLeft: () => void
  readonly onError: (error: unknown) => void
}

interface Watched {
  readonly listeners: Set<() => void>
  state: 'off' | 'asked' | 'on'
}

const askedSchema = z.object({ turnId: z.string(), userId: z.string() })

export function askedMessage({ turnId, userId }: AskedToEnd): string {
  return JSON.stringify({ turnId, userId })
}

/** The caller stops it. */
export async function openTurnNews({ redis, owner, onAsked, onLeft, onError }: TurnNewsOptions): Promise<TurnNews> {
  const connection = await redis.duplicate()
  const watched = new Map<string, Watched>()

  const tell = (turnId: string): void => {
    for (const listener of watched.get(turnId)?.listeners ?? []) listener()
  }

  const subscribe = (turnId: string, entry: Watched): void => {
    entry.state = 'asked'
    connection
      .run((client) => client.subscribe(turnKeys.news(turnId), () => tell(turnId)))
      .then(() => {
        entry.state = 'on'
        // What came before this was not told.
        if (watched.get(turnId) === entry) tell(turnId)
        else unsubscribe(turnId)
      })
      .catch((error: unknown) => {
        entry.state = 'off'
        onError(error)
      })
  }
  const unsubscribe = (turnId: string): void => {
    // Somebody may watch it again by now, whose own subscription this would end.
    if (!watched.has(turnId)) connection.run((client) => client.unsubscribe(turnKeys.news(turnId))).catch(onError)
  }
  const ring = (): void => {
    for (const [turnId, entry] of watched) {
      if (entry.state === 'off') subscribe(turnId, entry)
      for (const listener of entry.listeners) listener()
    }
  }

  try {
    await connection.run((client) =>
      Promise.all([
        client.subscribe(turnKeys.asked(owner), (message) => {
          try {
            onAsked(askedSchema.parse(JSON.parse(message)))
          } catch (error) {
            onError(error)
          }
        }),
        client.subscribe(turnKeys.left, onLeft)
      ])
    )
  } catch (error) {
    await connection.stop()
    throw error
  }
  const endBack = connection.onBack(ring)

  return {
    ring,
    watch(turnId, listener) {
      const entry = watched.get(turnId) ?? { listeners: new Set(), state: 'off' }
      entry.listeners.add(listener)
      watched.set(turnId, entry)
      if (entry.state === 'off') subscribe(turnId, entry)
      return () => {
        entry.listeners.delete(listener)
        if (entry.listeners.size > 0 || watched.get(turnId) !== entry) return
        watched.delete(turnId)
        if (entry.state === 'on') unsubscribe(turnId)
      }
    },
    stop() {
      endBack()
      return connection.stop()
    }
  }
}
