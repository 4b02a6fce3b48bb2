// Fetches stretches of transcripts: the newest page, earlier and later ones, the place around a message.
import type { BridgeInput } from '../../shared/bridge.ts'
import { toCopilotError } from '../../shared/errors.ts'
import type { BridgeClient } from '../bridge.ts'
import { applyOutbox, applyPage, beginTranscript, dropTranscripts, failTranscript, type Mirror, type PageArrival } from './mirror.ts'

/** Messages per page, and the longest stretch kept: a window over pages scrolls and jumps best (measured). */
const PAGE = 100
const KEEP = 1_500
/** Sessions whose transcript stays loaded. */
const KEEP_SESSIONS = 6
/** A torn transcript is fetched again at most this often. */
const REPAIR_MS = 400

export interface LoaderDependencies {
  readonly bridge: BridgeClient
  readonly read: () => Mirror | null
  readonly write: (mirror: Mirror) => void
}

export interface Loader {
  /** Makes sure that a session's transcript is there; the newest page when it is not. */
  readonly open: (sessionId: string) => Promise<void>
  readonly latest: (sessionId: string) => Promise<void>
  readonly around: (sessionId: string, messageId: string) => Promise<void>
  readonly earlier: (sessionId: string) => Promise<void>
  readonly later: (sessionId: string) => Promise<void>
  /** Fetches again what is loaded of a session, after events were missed; others that are torn are let go. */
  repair(torn: readonly string[], selectedSessionId: string | null): void
  /** Reads what waits, is being sent or failed. Throws what main answered. */
  readonly outbox: () => Promise<void>
  /** Another history is shown: what is still on its way from the old one is dropped. */
  reset(): void
  stop(): void
}

export function createLoader({ bridge, read, write }: LoaderDependencies): Loader {
  let lifetime = new AbortController()
  const inFlight = new Map<string, Promise<void>>()
  const recent: string[] = []
  let repairTimer: ReturnType<typeof setTimeout> | null = null

  function once(key: string, work: () => Promise<void>): Promise<void> {
    const running = inFlight.get(key)
    if (running !== undefined) return running
    const started = work().finally(() => {
      if (inFlight.get(key) === started) inFlight.delete(key)
    })
    inFlight.set(key, started)
    return started
  }

  async function fetchPage(input: BridgeInput<'messages.page'>, place: PageArrival['place']): Promise<void> {
    const { sessionId } = input
    const mirror = read()
    if (mirror === null) return
    const asOf = mirror.seq
    const { signal } = lifetime
    write(beginTranscript(mirror, sessionId))
    try {
      const page = await bridge.call('messages.page', input, { signal })
      const now = read()
      if (now !== null) write(applyPage(now, { sessionId, page, place, asOf, keep: KEEP }))
    } catch (error) {
      const now = read()
      if (signal.aborted || now === null) return
      write(failTranscript(now, sessionId, toCopilotError(error).message))
    }
  }

  function visit(sessionId: string): void {
    const index = recent.indexOf(sessionId)
    if (index >= 0) recent.splice(index, 1)
    recent.unshift(sessionId)
    const mirror = read()
    if (mirror !== null) write(dropTranscripts(mirror, recent.splice(KEEP_SESSIONS)))
  }

  function edge(sessionId: string, end: 'first' | 'last'): number | null {
    const mirror = read()
    const ids = mirror?.transcripts[sessionId]?.ids
    const id = end === 'first' ? ids?.[0] : ids?.at(-1)
    return id === undefined ? null : (mirror?.messages[id]?.position ?? null)
  }

  const latest = (sessionId: string): Promise<void> => once(`latest ${sessionId}`, () => fetchPage({ sessionId, limit: PAGE }, 'replace'))

  async function refetch(sessionId: string): Promise<void> {
    const transcript = read()?.transcripts[sessionId]
    const first = edge(sessionId, 'first')
    if (transcript === undefined) return
    if (first === null || transcript.ids.length > 400) return latest(sessionId)
    await fetchPage({ sessionId, limit: Math.min(500, transcript.ids.length + PAGE), after: first - 1 }, 'replace')
    const now = read()
    const refreshed = now?.transcripts[sessionId]
    // "After a position" says nothing about what lies before it: that is as it was.
    if (now !== null && refreshed !== undefined && transcript.hasEarlier && !refreshed.hasEarlier) {
      write({ ...now, transcripts: { ...now.transcripts, [sessionId]: { ...refreshed, hasEarlier: true } } })
    }
  }

  return {
    open: async (sessionId) => {
      visit(sessionId)
      const transcript = read()?.transcripts[sessionId]
      if (transcript === undefined || transcript.status === 'failed') await latest(sessionId)
    },
    latest,
    around: async (sessionId, messageId) => {
      visit(sessionId)
      if (read()?.transcripts[sessionId]?.ids.includes(messageId) === true) return
      await once(`around ${sessionId} ${messageId}`, () => fetchPage({ sessionId, limit: PAGE, around: messageId }, 'replace'))
    },
    earlier: async (sessionId) => {
      const before = edge(sessionId, 'first')
      if (before === null || read()?.transcripts[sessionId]?.hasEarlier !== true) return
      await once(`earlier ${sessionId}`, () => fetchPage({ sessionId, limit: PAGE, before }, 'earlier'))
    },
    later: async (sessionId) => {
      const after = edge(sessionId, 'last')
      if (after === null || read()?.transcripts[sessionId]?.hasLater !== true) return
      await once(`later ${sessionId}`, () => fetchPage({ sessionId, limit: PAGE, after }, 'later'))
    },
    repair: (torn, selectedSessionId) => {
      if (repairTimer !== null) return
      repairTimer = setTimeout(() => {
        repairTimer = null
        const mirror = read()
        if (mirror === null) return
        write(
          dropTranscripts(
            mirror,
            torn.filter((id) => id !== selectedSessionId)
          )
        )
        if (selectedSessionId !== null && torn.includes(selectedSessionId)) void once(`repair ${selectedSessionId}`, () => refetch(selectedSessionId))
      }, REPAIR_MS)
    },
    outbox: async () => {
      const asOf = read()?.seq ?? 0
      const { signal } = lifetime
      const messages = await bridge.call('outbox.list', null, { signal })
      const mirror = read()
      if (mirror !== null) write(applyOutbox(mirror, messages, asOf))
    },
    reset: () => {
      lifetime.abort()
      lifetime = new AbortController()
      inFlight.clear()
      recent.length = 0
      if (repairTimer !== null) clearTimeout(repairTimer)
      repairTimer = null
    },
    stop: () => {
      lifetime.abort()
      if (repairTimer !== null) clearTimeout(repairTimer)
    }
  }
}
