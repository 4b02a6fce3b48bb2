// The whole state of one window: what it mirrors from main, and what it owns itself.
import type { Announcement } from '../../shared/bridge.ts'
import type { ExportFormat, LinkStatus, SearchQuery } from '../../shared/domain.ts'
import { emptyDraft, type Draft } from './drafts.ts'
import type { Mirror } from './mirror.ts'

export type View = 'ask' | 'outbox' | 'search' | 'usage' | 'settings'

/** What is asked of the transcript: show this message. `nonce` makes the same request twice two requests. */
interface Jump {
  readonly sessionId: string
  readonly messageId: string
  readonly nonce: number
}

export type SearchDraft = Omit<SearchQuery, 'limit'>

/** What an export begins with; the person may widen or narrow it. */
export interface ExportStart {
  readonly format?: ExportFormat
  readonly sessionId?: string
  readonly clientName?: string
}

/** Drafts, selection, panels: the renderer's own. */
export interface LocalState {
  readonly view: View
  /** The link as it is shown: an outage that is over within a second is not worth a word. */
  readonly link: LinkStatus | null
  readonly selectedSessionId: string | null
  readonly drafts: Readonly<Record<string, Draft>>
  /** Boxes whose text is on its way to main. */
  readonly sending: Readonly<Record<string, true>>
  /** Why the last attempt of a box failed; its text is still in it. */
  readonly boxErrors: Readonly<Record<string, string>>
  readonly search: SearchDraft
  readonly jump: Jump | null
  /** Grows with every request to put the caret into the composer. */
  readonly focusRequests: number
  readonly railOpen: boolean
  readonly detailsOpen: boolean
  readonly newSessionOpen: boolean
  readonly archivedShown: boolean
  /** Set while the dialog that writes an export is open. */
  readonly exporting: ExportStart | null
  /** Announcements made in this window. */
  readonly notes: readonly Announcement[]
}

export interface AppState {
  /** Null until the first snapshot came. */
  readonly mirror: Mirror | null
  /** Why there is no snapshot yet. */
  readonly startError: string | null
  readonly local: LocalState
}

export const initialLocal: LocalState = {
  view: 'ask',
  link: null,
  selectedSessionId: null,
  drafts: {},
  sending: {},
  boxErrors: {},
  search: { text: '' },
  jump: null,
  focusRequests: 0,
  railOpen: false,
  detailsOpen: false,
  newSessionOpen: false,
  archivedShown: false,
  exporting: null,
  notes: []
}

/**
 * The place of the overlay's draft: one box, whichever session it asks in. In the main window a question's place is its
 * session, so the two windows never write over each other's text.
 */
export const OVERLAY_BOX = 'overlay'
export function editKey(messageId: string): string {
  return `edit.${messageId}`
}
export function draftOf(local: LocalState, key: string): Draft {
  return local.drafts[key] ?? emptyDraft
}
