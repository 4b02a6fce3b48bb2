// A PreloadApi over data in memory, for tests and screenshots of the renderer: it parses as main does, streams, and goes offline.
import {
  bridge,
  snapshotSchema,
  type BridgeMethod,
  type BridgeOutput,
  type BridgeParsed,
  type Delta,
  type Draft,
  type PreloadApi,
  type Push
} from '../../src/shared/bridge.ts'
import { defaultSettings, type DesktopStatus, type LinkStatus, type Message, type Session, type Settings } from '../../src/shared/domain.ts'
import { CopilotError, toCopilotError } from '../../src/shared/errors.ts'
import { exchanges, longTranscript, seedSessions, storedExchange, streamedExchange } from './content.ts'
import { createFakeAnswers } from './fake-answers.ts'
import { createFakeCare } from './fake-care.ts'
import { createFakeJobs, type FakeJobs } from './fake-jobs.ts'
import { fakeUsage } from './usage.ts'

export interface FakeOptions {
  readonly window?: PreloadApi['window']
  readonly now?: number
  /** `full`: meetings with their messages; `empty`: the first start. */
  readonly seed?: 'full' | 'empty'
  /** Time between two pieces of an answer; 0: answers only move by `advance()`. */
  readonly tokenMs?: number
  readonly settings?: Partial<Settings>
  readonly desktop?: Partial<DesktopStatus>
  readonly overlaySessionId?: string | null
  readonly longCount?: number
  /** Answers are this many times as long. */
  readonly repeat?: number
  readonly drafts?: Readonly<Record<string, Draft>>
  /** Told at each change: what main would find after a crash. */
  readonly onDrafts?: (drafts: Readonly<Record<string, Draft>>) => void
  /** The history is sealed with this passphrase, and locked. */
  readonly locked?: string
  /** Time between two steps of long work. */
  readonly stepMs?: number
  readonly lastBackupAt?: number | null
}

export interface FakeBridge {
  readonly api: PreloadApi
  /** Every call that arrived, in order. */
  readonly calls: { readonly method: string; readonly input: unknown }[]
  readonly messages: Map<string, Message>
  readonly sessions: Map<string, Session>
  readonly drafts: Map<string, Draft>
  readonly jobs: FakeJobs
  /** What the person answers to the file dialogs to come; `null`: cancelled. */
  readonly fileAnswers: (string | null)[]
  push(...deltas: Delta[]): void
  /** A push whose number skips one, as if one had been lost. */
  pushAfterGap(...deltas: Delta[]): void
  pushRaw(push: unknown): void
  goOffline(reason?: string): void
  goOnline(): void
  /** The next call of this method fails. */
  failNext(method: BridgeMethod, error: CopilotError): void
  /** Holds back the answers of a method until the returned function is called. */
  hold(method: BridgeMethod): () => void
  /** Sends the next pieces of every answer that is on its way. */
  advance(pieces?: number): void
  /** Ends every timer. */
  stop(): void
}

/** What works before the passphrase was given. */
const usableLocked = /^(snapshot|history\.unlock|settings\.|overlay\.|window\.|link\.|clipboard\.|announcement\.)/

export function createFakeBridge(options: FakeOptions = {}): FakeBridge {
  const now = options.now ?? Date.now()
  const sessions = new Map<string, Session>()
  const messages = new Map<string, Message>()
  const listeners = new Set<(push: unknown) => void>()
  const calls: { method: string; input: unknown }[] = []
  const failures = new Map<string, CopilotError>()
  const holds = new Map<string, { promise: Promise<void>; release: () => void }>()
  let seq = 0
  let counter = 0
  let settings: Settings = { ...defaultSettings, ...options.settings }
  let link: LinkStatus = {
    state: 'online', transport: 'grpc', reason: '', retryAt: null, since: now - 5_400_000,
    service: { embedded: true, address: '127.0.0.1:50051', version: '0.1.0', answeredBy: 'Local knowledge' }
  } // prettier-ignore
  let desktop: DesktopStatus = {
    version: '0.1.0', platform: 'linux', keyStorage: 'vault', locked: false, captureProtection: 'not-guaranteed', shortcuts: { toggleOverlay: 'registered', askClipboard: 'taken' }, overlayVisible: options.window === 'overlay',
    historyIncident: null, ...(options.locked === undefined ? {} : { locked: true, keyStorage: 'passphrase' as const }), ...options.desktop
  } // prettier-ignore
  const drafts = new Map(Object.entries(options.drafts ?? {}))
  const fileAnswers: (string | null)[] = []

  if (options.seed !== 'empty') {
    for (const session of seedSessions(now)) sessions.set(session.id, session)
    let at = now - 22 * 60_000
    for (const [index, exchange] of exchanges.entries()) {
      for (const message of storedExchange(exchange, { sessionId: 's-claims', position: index * 2 + 1, at })) messages.set(message.id, message)
      at += 5 * 60_000
    }
    for (const message of storedExchange(streamedExchange, { sessionId: 's-landing', position: 1, at: now - 3 * 3_600_000 }))
      messages.set(message.id, message)
    for (const message of longTranscript('s-archive', options.longCount ?? 5_000, now)) messages.set(message.id, message)
    for (const session of sessions.values()) sessions.set(session.id, { ...session, messageCount: inSession(session.id).length })
  }

  function inSession(sessionId: string): Message[] {
    return [...messages.values()].filter((message) => message.sessionId === sessionId).sort((a, b) => a.position - b.position)
  }
  function emit(push: Push): void {
    for (const listener of listeners) listener(structuredClone(push))
  }
  function push(...deltas: Delta[]): void {
    seq += 1
    emit({ seq, deltas })
  }
  function waiting(): number {
    return [...messages.values()].filter((message) => message.delivery?.state === 'waiting').length
  }
  function change(id: string, with_: Partial<Message>): Message {
    const message = messages.get(id)
    if (message === undefined) throw new CopilotError('not_found', 'This message is no longer there.')
    const changed = { ...message, ...with_ }
    messages.set(id, changed)
    push({ slice: 'message', value: changed }, { slice: 'waiting', count: waiting() })
    return changed
  }
  function session(id: string): Session {
    const found = sessions.get(id)
    if (found === undefined) throw new CopilotError('not_found', 'This session is no longer there.')
    return found
  }

  const answers = createFakeAnswers({
    now,
    tokenMs: options.tokenMs ?? 0,
    repeat: options.repeat ?? 1,
    messages,
    push,
    change,
    offline: () => link.state === 'offline'
  })

  const jobs = createFakeJobs({ push, stepMs: options.stepMs ?? 0 })
  const setDesktop = (with_: Partial<DesktopStatus>): void => {
    desktop = { ...desktop, ...with_ }
    push({ slice: 'desktop', value: desktop })
  }
  const care = createFakeCare({
    now,
    sessions,
    messages,
    jobs,
    push,
    desktop: () => desktop,
    setDesktop,
    passphrase: options.locked ?? (desktop.keyStorage === 'passphrase' ? 'four plain words here' : null),
    lastBackupAt: options.lastBackupAt === undefined ? now - 3 * 86_400_000 : options.lastBackupAt,
    fileAnswers
  })

  // ---- calls -------------------------------------------------------------------------------------------------------

  const handlers: { [M in BridgeMethod]: (input: BridgeParsed<M>) => BridgeOutput<M> | Promise<BridgeOutput<M>> } = {
    ...care,
    'sessions.get': ({ id }) => session(id),
    'drafts.keep': ({ key, ...draft }) => {
      if (draft.text === '') drafts.delete(key)
      else drafts.set(key, draft)
      options.onDrafts?.(Object.fromEntries(drafts))
      return null
    },
    'job.cancel': ({ id }) => {
      jobs.cancel(id)
      return null
    },
    'job.dismiss': ({ id }) => {
      jobs.dismiss(id)
      return null
    },
    snapshot: () =>
      snapshotSchema.parse({
        seq, link, settings, desktop, waiting: desktop.locked ? 0 : waiting(), announcements: [], jobs: jobs.list(), drafts: desktop.locked ? {} : Object.fromEntries(drafts),
        sessions: desktop.locked ? [] : [...sessions.values()].filter((one) => one.status === 'active').sort((a, b) => b.lastActivityAt - a.lastActivityAt).slice(0, 200),
        overlaySessionId: desktop.locked ? null : options.overlaySessionId === undefined ? (sessions.has('s-claims') ? 's-claims' : null) : options.overlaySessionId
      }), // prettier-ignore
    'turn.ask': ({ turnId, sessionId, text, quickAction }) => {
      session(sessionId)
      const known = [...messages.values()].find((message) => message.turnId === turnId && message.role === 'user')
      if (known !== undefined) return { turnId, sessionId, message: known }
      if (text.length > 32_000)
        throw new CopilotError('invalid_request', 'The question is longer than 32,000 characters. It is still in the box; shorten it.')
      counter += 1
      const message: Message = {
        id: `question-${turnId}`, sessionId, turnId, role: 'user', text, createdAt: now + counter * 1_000, position: (inSession(sessionId).at(-1)?.position ?? 0) + 1, quickAction: quickAction ?? null,
        delivery: { state: 'waiting', attempts: 0, nextAttemptAt: null, needsConfirmation: false, error: null }, answer: null
      } // prettier-ignore
      messages.set(message.id, message)
      const touched = { ...session(sessionId), lastActivityAt: message.createdAt, messageCount: inSession(sessionId).length }
      sessions.set(sessionId, touched)
      push({ slice: 'message', value: message }, { slice: 'session', value: touched }, { slice: 'waiting', count: waiting() })
      if (link.state === 'online') answers.send(message)
      return { turnId, sessionId, message }
    },
    'turn.stop': ({ turnId }) => {
      answers.stop(turnId)
      return null
    },
    'turn.again': ({ messageId, turnId }) => {
      const question = messages.get(messageId)
      if (question === undefined) throw new CopilotError('not_found', 'This question is no longer there.')
      return handlers['turn.ask']({ turnId, sessionId: question.sessionId, text: question.text })
    },
    'turn.edit': ({ messageId, text }) => {
      const edited = change(messageId, {
        text,
        delivery: { state: 'waiting', attempts: 0, nextAttemptAt: null, needsConfirmation: false, error: null }
      })
      if (link.state === 'online') answers.send(edited)
      return edited
    },
    'outbox.sendNow': ({ messageId }) => {
      const question = messages.get(messageId)
      if (question === undefined) throw new CopilotError('not_found', 'This question is no longer there.')
      const released = change(messageId, { delivery: { state: 'waiting', attempts: 0, nextAttemptAt: null, needsConfirmation: false, error: null } })
      if (link.state === 'online') answers.send(released)
      return null
    },
    'outbox.cancel': ({ messageId }) => {
      change(messageId, { delivery: { state: 'cancelled', attempts: 0, nextAttemptAt: null, needsConfirmation: false, error: null } })
      return null
    },
    'outbox.list': () =>
      [...messages.values()].filter(
        (message) => message.delivery !== null && message.delivery.state !== 'settled' && message.delivery.state !== 'cancelled'
      ),
    'sessions.create': (details) => {
      counter += 1
      const created: Session = {
        title: '', clientName: '', meetingType: '', projectContext: '', serviceTypes: [], cloudProviders: [], customFields: {}, notes: '', ...details,
        id: `session-${counter}`, status: 'active', pinned: false, createdAt: now, updatedAt: now, lastActivityAt: now + counter, expiresAt: null, messageCount: 0
      } // prettier-ignore
      sessions.set(created.id, created)
      push({ slice: 'session', value: created })
      return created
    },
    'sessions.update': ({ id, details, pinned, status }) => {
      const changed = { ...session(id), ...details, ...(pinned === undefined ? {} : { pinned }), ...(status === undefined ? {} : { status }) }
      sessions.set(id, changed)
      push({ slice: 'session', value: changed })
      return changed
    },
    'sessions.remove': ({ id }) => {
      sessions.delete(id)
      push({ slice: 'session-removed', id })
      return null
    },
    'sessions.list': ({ status, text, limit }) =>
      [...sessions.values()]
        .filter(
          (one) =>
            (status === undefined || one.status === status) && `${one.title} ${one.clientName}`.toLowerCase().includes((text ?? '').toLowerCase())
        )
        .slice(0, limit),
    'messages.page': ({ sessionId, limit, before, after, around }) => {
      const all = inSession(sessionId)
      const pivot = around === undefined ? -1 : all.findIndex((message) => message.id === around)
      const from =
        before !== undefined ? Math.max(0, all.filter((message) => message.position < before).length - limit)
        : after !== undefined ? all.findIndex((message) => message.position > after)
        : pivot >= 0 ? Math.max(0, pivot - Math.floor(limit / 2))
        : Math.max(0, all.length - limit) // prettier-ignore
      const to = before === undefined ? Math.min(all.length, from + limit) : all.filter((message) => message.position < before).length
      return from < 0
        ? { messages: [], hasEarlier: all.length > 0, hasLater: false }
        : { messages: all.slice(from, to), hasEarlier: from > 0, hasLater: to < all.length }
    },
    'search.query': ({ text, sessionId, clientName, role, from, to, limit }) => {
      const words = text
        .toLowerCase()
        .split(/\s+/)
        .filter((word) => word !== '')
      const found = [...messages.values()].filter((message) => {
        const own = message.text.toLowerCase()
        const fits =
          (sessionId === undefined || message.sessionId === sessionId) &&
          (role === undefined || message.role === role) &&
          (clientName === undefined || sessions.get(message.sessionId)?.clientName === clientName)
        return (
          fits &&
          message.createdAt >= (from ?? 0) &&
          message.createdAt <= (to ?? Number.MAX_SAFE_INTEGER) &&
          words.every((word) => own.includes(word))
        )
      })
      found.sort((a, b) => b.createdAt - a.createdAt)
      const hits = found.slice(0, limit).map((message) => ({
        messageId: message.id, sessionId: message.sessionId, sessionTitle: sessions.get(message.sessionId)?.title ?? '', clientName: sessions.get(message.sessionId)?.clientName ?? '', role: message.role,
        createdAt: message.createdAt, snippet: snippetOf(message.text, words)
      })) // prettier-ignore
      return { hits, more: found.length > limit, tookMs: 1.3 }
    },
    'usage.report': (range) => fakeUsage(range, options.seed === 'empty'),
    'settings.change': (patch) => {
      settings = {
        ...settings,
        ...patch,
        shortcuts: { ...settings.shortcuts, ...patch.shortcuts },
        overlay: { ...settings.overlay, ...patch.overlay },
        service: { ...settings.service, ...patch.service }
      }
      desktop = {
        ...desktop,
        shortcuts: Object.fromEntries(
          Object.entries(settings.shortcuts).map(([name, keys]) => [name, keys === null ? 'unset' : (desktop.shortcuts[name] ?? 'registered')])
        )
      }
      push({ slice: 'settings', value: settings }, { slice: 'desktop', value: desktop })
      return settings
    },
    'settings.providerKey': ({ key }) => ({ set: key !== '' }),
    'overlay.show': () => null,
    'overlay.hide': () => null,
    'window.showMain': () => null,
    'link.open': () => null,
    'link.retry': () => null,
    'clipboard.write': () => null,
    'announcement.dismiss': () => null
  }

  async function call(method: string, input: unknown): Promise<unknown> {
    calls.push({ method, input: structuredClone(input) })
    const contract = bridge[method as BridgeMethod]
    try {
      const failure = failures.get(method)
      failures.delete(method)
      if (failure !== undefined) throw failure
      const parsed = contract.input.parse(input)
      if (desktop.locked && !usableLocked.test(method)) throw new CopilotError('unavailable', 'Unlock the history first.')
      const handler = handlers[method as BridgeMethod] as (input: unknown) => unknown
      const value = structuredClone(await handler(parsed))
      await holds.get(method)?.promise
      return { ok: true, value }
    } catch (error) {
      return { ok: false, error: toCopilotError(error).toWire() }
    }
  }

  return {
    api: {
      window: options.window ?? 'main',
      call,
      onPush: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      }
    },
    calls,
    messages,
    sessions,
    drafts,
    jobs,
    fileAnswers,
    push,
    pushAfterGap: (...deltas) => {
      seq += 2
      emit({ seq, deltas })
    },
    pushRaw: (raw) => {
      for (const listener of listeners) listener(raw)
    },
    goOffline: (reason = 'The network is unreachable.') => {
      link = { ...link, state: 'offline', transport: null, reason, retryAt: now + 30_000, since: now }
      push({ slice: 'link', value: link })
    },
    goOnline: () => {
      link = { ...link, state: 'online', transport: 'grpc', reason: '', retryAt: null, since: now }
      push({ slice: 'link', value: link })
      for (const message of [...messages.values()].filter((one) => one.delivery?.state === 'waiting' && !one.delivery.needsConfirmation))
        answers.send(message)
    },
    failNext: (method, error) => failures.set(method, error),
    hold: (method) => {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      const release = (): void => {
        holds.delete(method)
        resolve(undefined)
      }
      holds.set(method, { promise, release })
      return release
    },
    advance: answers.advance,
    stop: () => {
      answers.stopAll()
      jobs.stop()
    }
  }
}

function snippetOf(text: string, words: readonly string[]): { text: string; hit: boolean }[] {
  const plain = text.replace(/[*_`>#|]/g, '').replace(/\s+/g, ' ')
  const at = Math.max(0, plain.toLowerCase().indexOf(words[0] ?? '') - 60)
  const cut = `${at > 0 ? '… ' : ''}${plain.slice(at, at + 220)}`
  const pattern = new RegExp(`(${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`, 'gi')
  return cut.split(pattern).filter((piece) => piece !== '').map((piece) => ({ text: piece, hit: words.includes(piece.toLowerCase()) })) // prettier-ignore
}
