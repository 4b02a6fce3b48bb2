// A session as it begins.
import type { Session, SessionDetails } from '../../shared/domain.ts'

const EMPTY: SessionDetails = {
  title: '',
  clientName: '',
  meetingType: '',
  projectContext: '',
  serviceTypes: [],
  cloudProviders: [],
  customFields: {},
  notes: ''
}

/** `now` in Unix ms. */
export function newSession(details: Partial<SessionDetails>, id: string, now: number): Session {
  return {
    ...EMPTY,
    ...details,
    id,
    status: 'active',
    pinned: false,
    createdAt: now,
    updatedAt: now,
    lastActivityAt: now,
    expiresAt: null,
    messageCount: 0
  }
}
