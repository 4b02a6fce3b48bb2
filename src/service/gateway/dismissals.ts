// Sends somebody away: every socket that they have open, whatever its dialect and whichever process it is at, hears why and is
// closed. Socket.IO reaches its own at all processes through its adapter; plain WebSockets hear of it by the fan-out.
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { NewId } from '../../shared/kit/clock.ts'
import { aiErrorSchema } from '../../shared/wire/socket.ts'
import { pseudonymOf } from '../audit/pseudonym.ts'
import { correlationId } from '../correlation.ts'
import type { Fanout } from '../fanout/fanout.ts'
import { toSocketError, type AiError } from './foreignErrors.ts'

type Reason = 'erased' | 'key revoked'

export interface DismissalDoor {
  /** Whose sockets it reaches: those of all processes, or of this one. */
  readonly reach: 'service' | 'process'
  /** Tells everybody in the room and closes their sockets. Never throws. */
  end(room: string, told: AiError): void
}

export interface Dismissals {
  /** Here at once, at the other processes as soon as they hear of it. Whoever has a good token may come again. */
  dismiss(userId: string, reason: Reason): void
  /** Until the result is called. */
  attend(door: DismissalDoor): () => void
}

export interface DismissalOptions {
  readonly fanout: Fanout
  readonly newId: NewId
}

const reasons: Readonly<Record<Reason, () => CopilotError>> = {
  // The token stays good.
  erased: () =>
    new CopilotError('unavailable', 'What the service kept of you is being erased, so this connection ends. Connect again to begin anew.', {
      retryAfterMs: 1_000
    }),
  'key revoked': () => new CopilotError('unauthenticated', 'This client key was revoked. Ask an administrator of the service for a new one.')
}

const CHANNEL = 'dismissals'
const newsSchema = z.object({ room: z.string(), told: aiErrorSchema })

/** Where all sockets of a person are; the name tells nobody who it is. */
export function roomOf(userId: string): string {
  return `person:${pseudonymOf(userId)}`
}

/** The caller stops it. */
export function createDismissals({ fanout, newId }: DismissalOptions): Dismissals & { readonly stop: () => void } {
  const doors = new Set<DismissalDoor>()
  const stop = fanout.subscribe(CHANNEL, {
    heard(text) {
      const news = newsSchema.safeParse(JSON.parse(text))
      // From a process of another version, which says it in words that this one does not know.
      if (!news.success) return
      for (const door of doors) if (door.reach === 'process') door.end(news.data.room, news.data.told)
    },
    // Such a socket stays open; what its person had is gone from the stores all the same.
    missed: () => undefined
  })
  return {
    dismiss(userId, reason) {
      const room = roomOf(userId)
      const told = toSocketError(reasons[reason](), { correlationId: correlationId() ?? newId() })
      for (const door of doors) door.end(room, told)
      fanout.publish(CHANNEL, JSON.stringify({ room, told }))
    },
    attend(door) {
      doors.add(door)
      return () => void doors.delete(door)
    },
    stop
  }
}
