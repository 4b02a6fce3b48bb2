// Which sessions the rail shows, and in what order. Pure.
import type { Session } from '../../../shared/domain.ts'

export interface RailGroups {
  readonly pinned: readonly Session[]
  readonly recent: readonly Session[]
}

/** Every word of the filter must begin a word of the title, the client or the meeting type; accents don't matter. */
export function matchesFilter(session: Session, filter: string): boolean {
  const words = fold(filter)
    .split(/\s+/)
    .filter((word) => word !== '')
  const known = fold(`${session.title} ${session.clientName} ${session.meetingType}`).split(/[^\p{L}\p{N}]+/u)
  return words.every((word) => known.some((candidate) => candidate.startsWith(word)))
}

export function groupSessions(sessions: readonly Session[], filter: string, status: Session['status']): RailGroups {
  const shown = sessions
    .filter((session) => session.status === status && matchesFilter(session, filter))
    .sort((a, b) => b.lastActivityAt - a.lastActivityAt)
  return { pinned: shown.filter((session) => session.pinned), recent: shown.filter((session) => !session.pinned) }
}

function fold(value: string): string {
  return value.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}
