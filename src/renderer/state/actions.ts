// Everything a person can do, in one place: the renderer's own state changes here, main's by calls over the bridge.
import type { BridgeInput, BridgeMethod, BridgeOutput } from '../../shared/bridge.ts'
import type { Message, Session, SessionDetails, SettingsPatch } from '../../shared/domain.ts'
import { toCopilotError, type CopilotError } from '../../shared/errors.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { NewId } from '../../shared/kit/clock.ts'
import type { QuickAction } from '../../shared/turn.ts'
import type { BridgeClient } from '../bridge.ts'
import { text } from '../text/text.ts'
import { emptyDraft, type DraftKeeper } from './drafts.ts'
import type { Loader } from './loader.ts'
import { dropAnnouncement, putSessions, type Mirror } from './mirror.ts'
import { draftOf, editKey, OVERLAY_BOX, type AppState, type ExportStart, type LocalState, type SearchDraft, type View } from './model.ts'
import type { Command } from './sync.ts'

export interface AskRequest {
  /** The box that is sent. */
  readonly box: string
  /** Null: a session is made first, titled as given. */
  readonly sessionId: string | null
  readonly newSession?: Partial<SessionDetails>
  readonly quickAction?: QuickAction
}

export interface ActionDependencies {
  readonly bridge: BridgeClient
  readonly loader: Loader
  readonly drafts: DraftKeeper
  readonly newId: NewId
  readonly read: () => AppState
  readonly setLocal: (change: Partial<LocalState>) => void
  readonly writeMirror: (mirror: Mirror) => void
  readonly retrySnapshot: () => void
  /** The box that text from outside goes into. */
  readonly boxOf: (local: LocalState) => string
}

export type Actions = ReturnType<typeof createActions>

export function createActions({ bridge, loader, drafts, newId, read, setLocal, writeMirror, retrySnapshot, boxOf }: ActionDependencies) {
  function note(level: 'info' | 'warning' | 'error', message: string, sticky = false): void {
    setLocal({ notes: [...read().local.notes.slice(-3), { id: newId(), level, text: message, sticky }] })
  }

  /** Calls main; a failure becomes a note and null. For calls whose result arrives as a push. */
  async function attempt<M extends BridgeMethod>(method: M, input: BridgeInput<M>): Promise<{ readonly value: BridgeOutput<M> } | null> {
    try {
      return { value: await bridge.call(method, input) }
    } catch (error) {
      note('error', toCopilotError(error).message)
      return null
    }
  }

  function setDraft(key: string, value: string): void {
    const { local } = read()
    const old = draftOf(local, key)
    if (old.text === value) return
    // Another text is another question: it gets a turn id of its own.
    const draft = { text: value, turnId: null }
    setLocal({ drafts: { ...local.drafts, [key]: draft }, boxErrors: dropKey(local.boxErrors, key) })
    drafts.keep(key, draft)
  }

  /** An edit that a reload or a crash interrupted goes on. */
  function restoreEdit(messageId: string): void {
    if (drafts.read(editKey(messageId)).text !== '') restoreDraft(editKey(messageId))
  }

  function restoreDraft(key: string): void {
    const { local } = read()
    if (local.drafts[key] === undefined) setLocal({ drafts: { ...local.drafts, [key]: drafts.read(key) } })
  }

  function clearDraft(key: string): void {
    setLocal({ drafts: { ...read().local.drafts, [key]: emptyDraft } })
    drafts.keep(key, emptyDraft)
  }

  function finishBox(key: string, error: string | null): void {
    const { local } = read()
    setLocal({
      sending: dropKey(local.sending, key),
      boxErrors: error === null ? dropKey(local.boxErrors, key) : { ...local.boxErrors, [key]: error }
    })
  }

  /** Runs what a box sends: once at a time, and the box keeps its text until main has it. */
  async function fromBox<T>(key: string, work: () => Promise<T>): Promise<T | null> {
    const { local } = read()
    if (local.sending[key] === true) return null
    setLocal({ sending: { ...local.sending, [key]: true } })
    try {
      const result = await work()
      finishBox(key, null)
      return result
    } catch (error) {
      finishBox(key, toCopilotError(error).message)
      return null
    }
  }

  function remember(session: Session, asOf: number): void {
    const { mirror } = read()
    if (mirror !== null) writeMirror(putSessions(mirror, [session], asOf))
  }

  async function createSession(details: Partial<SessionDetails>): Promise<Session> {
    const asOf = read().mirror?.seq ?? 0
    const session = await bridge.call('sessions.create', details)
    remember(session, asOf)
    return session
  }

  /** Shows a session. */
  function selectSession(sessionId: string | null): void {
    setLocal({ view: 'ask', railOpen: false })
    openSession(sessionId)
  }
  /** Makes a session the one that is open, whatever is looked at. */
  function openSession(sessionId: string | null): void {
    setLocal({ selectedSessionId: sessionId, jump: null })
    if (sessionId === null) return
    restoreDraft(sessionId)
    void knowSession(sessionId)
    void loader.open(sessionId)
  }

  /** Archived sessions, and those older than the snapshot's 200, are read when they are needed. False: it is not there. */
  async function knowSession(sessionId: string): Promise<boolean> {
    if (read().mirror?.sessions[sessionId] !== undefined) return true
    const asOf = read().mirror?.seq ?? 0
    try {
      remember(await bridge.call('sessions.get', { id: sessionId }), asOf)
      return true
    } catch (error) {
      note('error', toCopilotError(error).message)
      return false
    }
  }

  async function openMessage(sessionId: string, messageId: string, _sessionTitle?: string): Promise<void> {
    setLocal({ selectedSessionId: sessionId, view: 'ask', railOpen: false })
    restoreDraft(sessionId)
    if (!(await knowSession(sessionId))) return
    await loader.around(sessionId, messageId)
    const { local } = read()
    if (local.selectedSessionId === sessionId) setLocal({ jump: { sessionId, messageId, nonce: (local.jump?.nonce ?? 0) + 1 } })
  }

  /** Sends what is in the box. The draft is let go only when main has answered that the question is durable. */
  async function ask({ box: key, sessionId, newSession, quickAction }: AskRequest): Promise<string | null> {
    const draft = draftOf(read().local, key)
    const question = cleanText(draft.text).trim() || (quickAction === undefined ? '' : text.quickActions[quickAction].question)
    if (question === '') return null
    const turnId = draft.turnId ?? newId()
    const accepted = await fromBox(key, async () => {
      const pending = { text: draft.text, turnId }
      setLocal({ drafts: { ...read().local.drafts, [key]: pending } })
      drafts.keep(key, pending)
      const target = sessionId ?? (await createSession(newSession ?? {})).id
      return bridge.call('turn.ask', { turnId, sessionId: target, text: question, ...(quickAction === undefined ? {} : { quickAction }) })
    })
    if (accepted === null) return null
    // What was typed while main was saving is the next question.
    if (draftOf(read().local, key).turnId === turnId) clearDraft(key)
    if (read().mirror?.transcripts[accepted.sessionId]?.hasLater === true) await loader.latest(accepted.sessionId)
    return accepted.sessionId
  }

  async function edit(messageId: string): Promise<void> {
    const key = editKey(messageId)
    const value = cleanText(draftOf(read().local, key).text).trim()
    if (value === '') return
    const done = await fromBox(key, () => bridge.call('turn.edit', { messageId, text: value }))
    if (done !== null) endEdit(messageId)
  }
  function beginEdit(message: Message): void {
    setDraft(editKey(message.id), message.text)
  }
  function endEdit(messageId: string): void {
    const key = editKey(messageId)
    drafts.keep(key, emptyDraft)
    setLocal({ drafts: dropKey(read().local.drafts, key), boxErrors: dropKey(read().local.boxErrors, key) })
  }

  /** Puts a text behind what is already in the box, so that nothing typed is lost. */
  function addToDraft(key: string, addition: string): void {
    restoreDraft(key)
    const old = draftOf(read().local, key).text
    setDraft(key, old.trim() === '' ? addition : `${old.trimEnd()}\n${addition}`)
    setLocal({ focusRequests: read().local.focusRequests + 1 })
  }

  /** Reads sessions that the snapshot does not hold: archived ones, or older than its 200. */
  async function findSessions(input: BridgeInput<'sessions.list'>, signal?: AbortSignal): Promise<void> {
    const asOf = read().mirror?.seq ?? 0
    try {
      const sessions = await bridge.call('sessions.list', input, signal === undefined ? {} : { signal })
      const { mirror } = read()
      if (mirror !== null) writeMirror(putSessions(mirror, sessions, asOf))
    } catch (error) {
      if (signal?.aborted !== true) note('error', toCopilotError(error).message)
    }
  }

  async function removeSession(id: string): Promise<void> {
    const removed = await attempt('sessions.remove', { id })
    if (removed !== null && read().local.selectedSessionId === id) setLocal({ selectedSessionId: null })
  }

  async function changeSettings(patch: SettingsPatch): Promise<void> {
    await attempt('settings.change', patch)
  }

  async function dismiss(id: string): Promise<void> {
    const { local, mirror } = read()
    if (local.notes.some((candidate) => candidate.id === id)) {
      setLocal({ notes: local.notes.filter((candidate) => candidate.id !== id) })
      return
    }
    const dismissed = await attempt('announcement.dismiss', { id })
    if (dismissed !== null && mirror !== null) writeMirror(dropAnnouncement(read().mirror ?? mirror, id))
  }

  function runCommand(command: Command): void {
    if (command.sessionId !== undefined) selectSession(command.sessionId)
    switch (command.command) {
      case 'focus-composer':
        setLocal({ view: 'ask', focusRequests: read().local.focusRequests + 1 })
        return
      case 'new-session':
        setLocal({ newSessionOpen: true })
        return
      case 'search':
        setLocal({ view: 'search', search: { ...read().local.search, ...(command.text === undefined ? {} : { text: command.text.slice(0, 500) }) } })
        return
      case 'ask':
        // From outside the window (a link, the clipboard): the person sees the text and sends it.
        setLocal({ view: 'ask' })
        addToDraft(boxOf(read().local), cleanText(command.text ?? ''))
    }
  }

  /** Once more, as the same question; as a new turn where the old one had begun to be answered. */
  async function sendAgain(messageId: string): Promise<void> {
    try {
      await bridge.call('outbox.sendNow', { messageId })
    } catch (error) {
      const failure = toCopilotError(error)
      if (failure.code !== 'conflict') {
        note('error', failure.message)
        return
      }
      // The new turn stands for it now: the old one leaves the outbox and stays in the transcript.
      if ((await attempt('turn.again', { messageId, turnId: newId() })) !== null) await attempt('outbox.cancel', { messageId })
    }
  }

  async function loadOutbox(): Promise<void> {
    try {
      await loader.outbox()
    } catch (error) {
      const failure = toCopilotError(error)
      if (failure.code !== 'cancelled') note('error', failure.message)
    }
  }

  /** Another history than the one that was shown: places of it that are gone are left, kindly. */
  async function enterHistory(): Promise<void> {
    const { local, mirror } = read()
    if (mirror === null || mirror.desktop.locked) return
    setLocal({ jump: null, exporting: null, drafts: draftsFor(mirror, local) })
    void loadOutbox()
    const selected = local.selectedSessionId
    if (selected === null) return
    const asOf = mirror.seq
    try {
      if (mirror.sessions[selected] === undefined) remember(await bridge.call('sessions.get', { id: selected }), asOf)
      restoreDraft(selected)
      await loader.open(selected)
    } catch (error) {
      const failure = toCopilotError(error)
      if (failure.code !== 'not_found') {
        note('error', failure.message)
        return
      }
      drafts.forget(selected)
      setLocal({ selectedSessionId: null, drafts: dropKey(read().local.drafts, selected) })
      note('info', text.start.sessionGone)
    }
  }
  /** What is typed in a box that this history has too stays and is kept there; other boxes take what it kept for them. */
  function draftsFor(mirror: Mirror, local: LocalState): LocalState['drafts'] {
    const typed = Object.entries(local.drafts).filter(
      ([key, draft]) => draft.text !== '' && (key === OVERLAY_BOX || mirror.sessions[key] !== undefined)
    )
    for (const [key, draft] of typed) drafts.keep(key, draft)
    return Object.fromEntries(typed)
  }

  /** Null: the history opens. Else why it did not. */
  async function unlock(passphrase: string): Promise<CopilotError | null> {
    try {
      await bridge.call('history.unlock', { passphrase })
      return null
    } catch (error) {
      return toCopilotError(error)
    }
  }

  /** Shows what went wrong, in words for people. */
  function fail(error: unknown): void {
    note('error', toCopilotError(error).message)
  }

  return {
    note,
    fail,
    setDraft,
    restoreDraft,
    restoreEdit,
    ask,
    addToDraft,
    beginEdit,
    endEdit,
    edit,
    stop: (turnId: string) => attempt('turn.stop', { turnId }),
    askAgain: (messageId: string) => attempt('turn.again', { messageId, turnId: newId() }),
    sendAgain,
    sendNow: (messageId: string) => attempt('outbox.sendNow', { messageId }),
    cancel: (messageId: string) => attempt('outbox.cancel', { messageId }),
    copy: (value: string) => attempt('clipboard.write', { text: value }),
    openLink: (url: string) => attempt('link.open', { url }),
    retryLink: () => attempt('link.retry', null),
    showView: (view: View) => setLocal({ view, railOpen: false }),
    setPanels: (panels: Partial<Pick<LocalState, 'railOpen' | 'detailsOpen' | 'newSessionOpen' | 'archivedShown'>>) => setLocal(panels),
    beginExport: (exporting: ExportStart) => setLocal({ exporting }),
    endExport: () => setLocal({ exporting: null }),
    loadOutbox,
    enterHistory,
    unlock,
    discardImport: (id: string) => attempt('import.discard', { id }),
    cancelJob: (id: string) => attempt('job.cancel', { id }),
    dismissJob: (id: string) => attempt('job.dismiss', { id }),
    flushDrafts: () => drafts.flush(),
    setSearch: (search: SearchDraft) => setLocal({ search }),
    endJump: () => setLocal({ jump: null }),
    focusComposer: () => setLocal({ focusRequests: read().local.focusRequests + 1 }),
    selectSession,
    openSession,
    openMessage,
    createSession,
    findSessions,
    updateSession: (change: BridgeInput<'sessions.update'>) => attempt('sessions.update', change),
    removeSession,
    changeSettings,
    setProviderKey: (key: string) => attempt('settings.providerKey', { provider: 'openai', key }),
    dismiss,
    showOverlay: (sessionId: string | null) => attempt('overlay.show', { sessionId }),
    hideOverlay: () => attempt('overlay.hide', null),
    showMain: (sessionId: string | null) => attempt('window.showMain', { sessionId }),
    loadEarlier: loader.earlier,
    loadLater: loader.later,
    loadLatest: loader.latest,
    reloadTranscript: loader.latest,
    retrySnapshot,
    runCommand
  }
}

function dropKey<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  const { [key]: _gone, ...rest } = record
  return rest
}
