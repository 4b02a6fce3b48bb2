// What main owns, mirrored: sessions, messages, live turns, link, settings. Pure; `sync.ts` is its only writer.
import type { Announcement, Delta, Push, Snapshot } from '../../shared/bridge.ts'
import type { DesktopStatus, Job, LinkStatus, Message, MessagePage, Session, Settings } from '../../shared/domain.ts'
import { applyTurnEvent, emptyTurn, type TurnEvent, type TurnView } from '../../shared/turn.ts'

/** The loaded stretch of one session's messages, ordered by position. */
export interface Transcript {
  readonly status: 'loading' | 'ready' | 'failed'
  readonly error: string | null
  readonly ids: readonly string[]
  readonly hasEarlier: boolean
  readonly hasLater: boolean
}

export interface Mirror {
  readonly seq: number
  readonly link: LinkStatus
  readonly settings: Settings
  readonly desktop: DesktopStatus
  readonly sessions: Readonly<Record<string, Session>>
  readonly waiting: number
  readonly overlaySessionId: string | null
  readonly announcements: readonly Announcement[]
  /** Long work that runs, and what ended and was not dismissed. */
  readonly jobs: readonly Job[]
  /** Questions that wait, are being sent or failed, of every session; null until they were asked for. */
  readonly outbox: readonly Message[] | null
  /** The history is another one now: nothing here may be built upon until the next snapshot. */
  readonly stale: boolean
  readonly transcripts: Readonly<Record<string, Transcript>>
  readonly messages: Readonly<Record<string, Message>>
  /** Answers on their way, by the answer's message id. */
  readonly turns: Readonly<Record<string, TurnView>>
  /** Turn id → id of its answer, and of its question. */
  readonly answers: Readonly<Record<string, string>>
  readonly questions: Readonly<Record<string, string>>
  /** Events that came before their message, or over a gap: replayed when the message is known. */
  readonly early: Readonly<Record<string, readonly TurnEvent[]>>
  /** Push number at which a message or session last changed: an older page must not overwrite it. */
  readonly touched: Readonly<Record<string, number>>
  /** Sessions whose transcript misses events and must be fetched again. */
  readonly torn: readonly string[]
}

/** More than this per answer means that the message never comes; the rest is fetched instead. */
const MAX_EARLY_EVENTS = 5_000
const MAX_TOUCHED = 4_000

/**
 * A fresh mirror. Transcripts of the old one stay visible, and are torn until they are fetched again; those of another
 * history are forgotten.
 */
export function fromSnapshot(snapshot: Snapshot, old: Mirror | null): Mirror {
  const { sessions, drafts: _drafts, ...rest } = snapshot
  const previous = old?.stale === true ? null : old
  return {
    ...rest,
    stale: false,
    outbox: previous?.outbox ?? null,
    sessions: Object.fromEntries(sessions.map((session) => [session.id, session])),
    transcripts: previous?.transcripts ?? {},
    messages: previous?.messages ?? {},
    turns: previous?.turns ?? {},
    answers: previous?.answers ?? {},
    questions: previous?.questions ?? {},
    early: {},
    touched: {},
    torn: previous === null ? [] : Object.keys(previous.transcripts)
  }
}

/** Null: the push does not follow; the caller asks for a snapshot. One that was already in the snapshot changes nothing. */
export function applyPush(mirror: Mirror, push: Push): Mirror | null {
  if (push.seq <= mirror.seq) return mirror
  if (push.seq > mirror.seq + 1) return null
  let next: Mirror = { ...mirror, seq: push.seq }
  for (const delta of push.deltas) next = applyDelta(next, delta)
  return next
}

function applyDelta(mirror: Mirror, delta: Delta): Mirror {
  switch (delta.slice) {
    case 'link':
      return { ...mirror, link: delta.value }
    case 'settings':
      return { ...mirror, settings: delta.value }
    case 'desktop':
      // Unlocked: what was mirrored so far was an empty place.
      return { ...mirror, desktop: delta.value, stale: mirror.stale || (mirror.desktop.locked && !delta.value.locked) }
    case 'waiting':
      return { ...mirror, waiting: delta.count }
    case 'announcement':
      return { ...mirror, announcements: [...mirror.announcements.filter((a) => a.id !== delta.value.id), delta.value] }
    case 'session':
      return touch({ ...mirror, sessions: { ...mirror.sessions, [delta.value.id]: delta.value } }, delta.value.id)
    case 'session-removed':
      return touch(dropSession(mirror, delta.id), delta.id)
    case 'message': {
      const next = touch(queueMessage(mirror, delta.value), delta.value.id)
      // Sessions that nobody looks at are read from the history when they are opened.
      if (mirror.transcripts[delta.value.sessionId] === undefined) return next
      return listMessage(putMessage(next, delta.value), delta.value)
    }
    case 'message-removed':
      return touch(dropMessage(mirror, delta.sessionId, delta.id), delta.id)
    case 'turn':
      if (mirror.transcripts[delta.sessionId] === undefined) return mirror
      return applyEvents(mirror, delta.sessionId, delta.messageId, delta.events)
    case 'job':
      return {
        ...mirror,
        jobs: mirror.jobs.some((job) => job.id === delta.value.id)
          ? mirror.jobs.map((job) => (job.id === delta.value.id ? delta.value : job))
          : [...mirror.jobs, delta.value]
      }
    case 'job-removed':
      return { ...mirror, jobs: mirror.jobs.filter((job) => job.id !== delta.id) }
    case 'history-replaced':
      return { ...forgetTranscripts(mirror), stale: true }
    case 'command':
      return mirror
  }
}

function forgetTranscripts(mirror: Mirror): Mirror {
  return { ...mirror, outbox: null, transcripts: {}, messages: {}, turns: {}, answers: {}, questions: {}, early: {}, touched: {}, torn: [] }
}

// ---- outbox --------------------------------------------------------------------------------------------------------

/** Waits, is being sent, or failed: the outbox shows it until it has an end. */
export function isUnsettled(message: Message): boolean {
  const state = message.delivery?.state
  return state === 'waiting' || state === 'sending' || state === 'failed'
}

/** The list read by a call that started at `asOf`; what changed since is newer. */
export function applyOutbox(mirror: Mirror, messages: readonly Message[], asOf: number): Mirror {
  const isNewer = (id: string): boolean => (mirror.touched[id] ?? 0) > asOf
  const now = mirror.outbox ?? []
  const merged = [...messages.filter((message) => !isNewer(message.id)), ...now.filter((message) => isNewer(message.id))]
  return { ...mirror, outbox: merged.filter((message) => isUnsettled(message) && !isNewer(removed(message.sessionId))) }
}

function queueMessage(mirror: Mirror, message: Message): Mirror {
  if (message.delivery === null) return mirror
  const old = mirror.outbox ?? []
  const isListed = old.some((one) => one.id === message.id)
  if (!isUnsettled(message)) return isListed ? { ...mirror, outbox: old.filter((one) => one.id !== message.id) } : mirror
  return { ...mirror, outbox: isListed ? old.map((one) => (one.id === message.id ? message : one)) : [...old, message] }
}

/** Key of `touched` for a session that went. */
function removed(sessionId: string): string {
  return `removed ${sessionId}`
}

/** Somebody removed this session since the last snapshot. */
export function wasRemoved(mirror: Mirror, sessionId: string): boolean {
  return mirror.touched[removed(sessionId)] !== undefined
}

function dropSession(mirror: Mirror, id: string): Mirror {
  return {
    ...touch(dropTranscripts(mirror, [id]), removed(id)),
    sessions: without(mirror.sessions, id),
    outbox: mirror.outbox?.filter((message) => message.sessionId !== id) ?? null
  }
}

/** Sessions read by a call that started when the mirror stood at `asOf`. */
export function putSessions(mirror: Mirror, sessions: readonly Session[], asOf: number): Mirror {
  const fresh = sessions.filter((session) => (mirror.touched[session.id] ?? 0) <= asOf)
  if (fresh.length === 0) return mirror
  return { ...mirror, sessions: { ...mirror.sessions, ...Object.fromEntries(fresh.map((session) => [session.id, session])) } }
}

export function dropAnnouncement(mirror: Mirror, id: string): Mirror {
  return { ...mirror, announcements: mirror.announcements.filter((announcement) => announcement.id !== id) }
}

// ---- transcripts ---------------------------------------------------------------------------------------------------

export function beginTranscript(mirror: Mirror, sessionId: string): Mirror {
  const old = mirror.transcripts[sessionId]
  const transcript: Transcript =
    old === undefined ? { status: 'loading', error: null, ids: [], hasEarlier: false, hasLater: false } : { ...old, error: null }
  return { ...mirror, transcripts: { ...mirror.transcripts, [sessionId]: transcript }, torn: mirror.torn.filter((id) => id !== sessionId) }
}

export function failTranscript(mirror: Mirror, sessionId: string, error: string): Mirror {
  const old = mirror.transcripts[sessionId]
  if (old === undefined) return mirror
  const transcript: Transcript = { ...old, status: old.ids.length === 0 ? 'failed' : old.status, error }
  return { ...mirror, transcripts: { ...mirror.transcripts, [sessionId]: transcript } }
}

/** Lets go of transcripts that nobody looks at, with their messages. */
export function dropTranscripts(mirror: Mirror, sessionIds: readonly string[]): Mirror {
  if (sessionIds.length === 0) return mirror
  const gone = new Set(sessionIds)
  const messages = Object.fromEntries(Object.entries(mirror.messages).filter(([, message]) => !gone.has(message.sessionId)))
  return {
    ...mirror,
    messages,
    transcripts: Object.fromEntries(Object.entries(mirror.transcripts).filter(([id]) => !gone.has(id))),
    turns: Object.fromEntries(Object.entries(mirror.turns).filter(([id]) => messages[id] !== undefined)),
    answers: Object.fromEntries(Object.entries(mirror.answers).filter(([, id]) => messages[id] !== undefined)),
    questions: Object.fromEntries(Object.entries(mirror.questions).filter(([, id]) => messages[id] !== undefined)),
    torn: mirror.torn.filter((id) => !gone.has(id))
  }
}

export interface PageArrival {
  readonly sessionId: string
  readonly page: MessagePage
  /** `replace`: the stretch starts anew from this page; the others extend the one there is. */
  readonly place: 'replace' | 'earlier' | 'later'
  /** The mirror's `seq` when the page was asked for. */
  readonly asOf: number
  /** Longest stretch kept; the far end is let go. */
  readonly keep: number
}

/** A page of the history into its transcript. What changed since it was asked for is newer and stays. */
export function applyPage(mirror: Mirror, arrival: PageArrival): Mirror {
  const { sessionId, page, place, asOf, keep } = arrival
  const old = mirror.transcripts[sessionId]
  if (old === undefined) return mirror
  let next = mirror
  const listed: string[] = []
  for (const message of page.messages) {
    if ((mirror.touched[message.id] ?? 0) <= asOf) next = putMessage(next, message)
    if (next.messages[message.id] !== undefined) listed.push(message.id)
  }
  const lastPosition = page.messages.at(-1)?.position ?? Number.NEGATIVE_INFINITY
  const kept =
    place === 'replace'
      ? old.ids.filter((id) => !page.hasLater && (mirror.touched[id] ?? 0) > asOf && (mirror.messages[id]?.position ?? 0) > lastPosition)
      : old.ids
  const all = [...new Set([...kept, ...listed])].sort((a, b) => (next.messages[a]?.position ?? 0) - (next.messages[b]?.position ?? 0))
  const ids = place === 'earlier' ? all.slice(0, keep) : all.slice(-keep)
  const cut = ids.length < all.length
  const transcript: Transcript = {
    status: 'ready',
    error: null,
    ids,
    hasEarlier: place === 'later' ? old.hasEarlier || cut : page.hasEarlier || (cut && place === 'replace'),
    hasLater: place === 'earlier' ? old.hasLater || cut : page.hasLater
  }
  return { ...next, transcripts: { ...next.transcripts, [sessionId]: transcript } }
}

// ---- messages and live turns ---------------------------------------------------------------------------------------

function putMessage(mirror: Mirror, message: Message): Mirror {
  let next: Mirror = { ...mirror, messages: { ...mirror.messages, [message.id]: message } }
  if (message.role === 'assistant' && message.turnId !== null) next = { ...next, answers: { ...next.answers, [message.turnId]: message.id } }
  if (message.role === 'user' && message.turnId !== null) next = { ...next, questions: { ...next.questions, [message.turnId]: message.id } }
  const live = mirror.turns[message.id]
  if (message.answer?.state !== 'answering') {
    if (live !== undefined) next = { ...next, turns: without(next.turns, message.id) }
    return mirror.early[message.id] === undefined ? next : { ...next, early: without(next.early, message.id) }
  }
  // Main stores an answer in steps: its copy may be behind what already came as events.
  if (live !== undefined && live.lastSeq < message.answer.lastSeq) next = { ...next, turns: without(next.turns, message.id) }
  const early = next.early[message.id]
  if (early === undefined) return next
  return applyEvents({ ...next, early: without(next.early, message.id) }, message.sessionId, message.id, early)
}

function applyEvents(mirror: Mirror, sessionId: string, messageId: string, events: readonly TurnEvent[]): Mirror {
  const message = mirror.messages[messageId]
  const keepEarly = (): Mirror => {
    const early = [...(mirror.early[messageId] ?? []), ...events].slice(-MAX_EARLY_EVENTS)
    return { ...mirror, early: { ...mirror.early, [messageId]: early } }
  }
  if (message === undefined) return keepEarly()
  if (message.answer?.state !== 'answering') return mirror
  let view = mirror.turns[messageId] ?? viewOf(message)
  for (const event of events) view = applyTurnEvent(view, event)
  if (view.gapAfter !== null) {
    const torn = mirror.torn.includes(sessionId) ? mirror.torn : [...mirror.torn, sessionId]
    return { ...keepEarly(), torn, turns: { ...mirror.turns, [messageId]: { ...view, gapAfter: null } } }
  }
  return { ...mirror, turns: { ...mirror.turns, [messageId]: view } }
}

/** The live view that later events go on top of. */
function viewOf(message: Message): TurnView {
  const empty = emptyTurn(message.turnId ?? message.id)
  const answer = message.answer
  if (answer === null) return { ...empty, text: message.text }
  return {
    ...empty,
    state: message.text === '' ? 'accepted' : 'answering',
    lastSeq: answer.lastSeq,
    text: message.text,
    citations: answer.citations,
    notices: answer.notices,
    usage: answer.usage,
    error: answer.error,
    startedAt: message.createdAt
  }
}

function listMessage(mirror: Mirror, message: Message): Mirror {
  const transcript = mirror.transcripts[message.sessionId]
  if (transcript === undefined || transcript.ids.includes(message.id)) return mirror
  const positionOf = (id: string | undefined): number => (id === undefined ? Number.NEGATIVE_INFINITY : (mirror.messages[id]?.position ?? 0))
  const { ids } = transcript
  if (transcript.hasLater && message.position > positionOf(ids.at(-1))) return mirror
  if (transcript.hasEarlier && ids.length > 0 && message.position < positionOf(ids[0])) return mirror
  let at = ids.length
  while (at > 0 && positionOf(ids[at - 1]) > message.position) at -= 1
  return { ...mirror, transcripts: { ...mirror.transcripts, [message.sessionId]: { ...transcript, ids: ids.toSpliced(at, 0, message.id) } } }
}

function dropMessage(mirror: Mirror, sessionId: string, messageId: string): Mirror {
  const transcript = mirror.transcripts[sessionId]
  const next: Mirror = {
    ...mirror,
    outbox: mirror.outbox?.filter((message) => message.id !== messageId) ?? null,
    messages: without(mirror.messages, messageId),
    turns: without(mirror.turns, messageId),
    early: without(mirror.early, messageId)
  }
  if (transcript === undefined) return next
  return { ...next, transcripts: { ...next.transcripts, [sessionId]: { ...transcript, ids: transcript.ids.filter((id) => id !== messageId) } } }
}

function touch(mirror: Mirror, key: string): Mirror {
  const touched = { ...mirror.touched, [key]: mirror.seq }
  const keys = Object.keys(touched)
  if (keys.length <= MAX_TOUCHED) return { ...mirror, touched }
  // No call stays out for so many pushes: what is older can no longer meet an older page.
  return { ...mirror, touched: Object.fromEntries(Object.entries(touched).filter(([, seq]) => seq > mirror.seq - MAX_TOUCHED / 2)) }
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!(key in record)) return record
  const { [key]: _gone, ...rest } = record
  return rest
}
