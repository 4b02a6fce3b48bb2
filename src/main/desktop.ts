// The desktop core on its ports: desk, outbox, mirror and the bridge's handlers. Knows neither Electron nor any adapter.
import type { Announcement, Snapshot } from '../shared/bridge.ts'
import type { DesktopStatus, Message, Session, Settings } from '../shared/domain.ts'
import { CopilotError, isAbort } from '../shared/errors.ts'
import type { Clock, NewId, Random } from '../shared/kit/clock.ts'
import type { TurnEvent } from '../shared/turn.ts'
import { createDesk, type AskInput, type Desk } from './ask/desk.ts'
import { createRecorder } from './ask/recorder.ts'
import type { Secrets } from './auth/secrets.ts'
import type { HistoryCare } from './history/care.ts'
import { createDraftKeeper } from './history/draftKeeper.ts'
import { createExporter } from './export/exporter.ts'
import type { RenderPages } from './export/renderer.ts'
import type { History } from './history/history.ts'
import { createImporter } from './import/importer.ts'
import type { ImportReader } from './import/reader.ts'
import { createCareHandlers } from './ipc/careHandlers.ts'
import { createHandlers } from './ipc/handlers.ts'
import { createMirror, type Mirror, type WindowKind } from './ipc/mirror.ts'
import { createRouter, type Router } from './ipc/router.ts'
import { createTransferHandlers } from './ipc/transferHandlers.ts'
import { createJobs } from './jobs.ts'
import type { Link } from './link/link.ts'
import type { Log } from './log.ts'
import { createPump } from './outbox/pump.ts'
import { newSession } from './sessions/newSession.ts'
import { patchSettings, type SettingsStore } from './settings/settings.ts'
import type { Shell } from './shell.ts'

export interface DesktopOptions {
  readonly history: History
  /** What happened when the history was opened; null when all was well. */
  readonly historyIncident: string | null
  readonly care: HistoryCare
  /** Reads files to be imported, and renders exports, beside the main thread. */
  readonly importReader: ImportReader
  readonly renderPages: RenderPages
  readonly link: Link
  readonly settings: SettingsStore
  readonly secrets: Secrets
  readonly shell: Shell
  /** The embedded service must start again with other settings; absent with a remote one. */
  readonly restartService?: (() => Promise<void>) | undefined
  readonly version: string
  readonly clock: Clock
  readonly newId: NewId
  readonly random: Random
  readonly log: Log
  /** To be shown from the start, beside the history's own incident. */
  readonly announcements: readonly string[]
}

export interface Desktop {
  readonly router: Router
  readonly mirror: Mirror
  readonly desk: Desk
  snapshot(): Promise<Snapshot>
  /**
   * Asks, and follows the turn to its end. Throws `offline` when the question waits in the outbox because the link is
   * down for longer than `patienceMs`; it is kept and sent later.
   */
  askAndFollow(input: AskInput, options: { readonly signal: AbortSignal; readonly patienceMs: number }): AsyncGenerator<TurnEvent, void>
  /** The session with this title, made if it is not there. */
  sessionNamed(title: string): Promise<Session>
  announce(level: Announcement['level'], text: string, sticky: boolean): void
  /** The history could not be opened or read as it was: what happened, what is kept. */
  incident(text: string): void
  command(command: 'focus-composer' | 'new-session' | 'search' | 'ask', window: WindowKind, more?: { text?: string; sessionId?: string }): void
  showOverlay(sessionId: string | null): Promise<void>
  /** The machine woke up or the network changed. */
  recheck(): void
  /** Questions are on their way, or somebody outside follows one. */
  busy(): boolean
  stop(): Promise<void>
}

/** What is due once a day is looked for this often, when nothing else goes on. */
const TEND_EVERY_MS = 10 * 60_000
/** At first when the start is over. */
const TEND_FIRST_MS = 20_000

export function createDesktop(options: DesktopOptions): Desktop {
  const { history, care, link, settings, shell, clock, newId, log } = options
  const mirror = createMirror()
  const announcements = new Map<string, Announcement>()
  const jobs = createJobs({ newId, publish: (delta) => mirror.publish(delta), now: clock.now })
  let overlaySessionId: string | null = null
  let historyIncident = options.historyIncident
  let stopped = false
  const ending = new AbortController()
  let following = 0

  const background = (work: Promise<unknown>, event: string): void => {
    work.catch((error: unknown) => {
      if (!stopped) log.error(event, { error })
    })
  }
  /** Who follows a turn, to hear when its question ended without a single event. */
  const followers = new Map<string, (message: Message) => void>()
  const onMessage = (message: Message): void => {
    mirror.publish({ slice: 'message', value: message })
    if (message.turnId !== null) followers.get(message.turnId)?.(message)
    background(
      history.waitingCount().then((count) => mirror.publish({ slice: 'waiting', count })),
      'desktop.waiting'
    )
  }
  const onSession = (session: Session): void => mirror.publish({ slice: 'session', value: session })
  /** Turn id to the assistant's message that its events belong to, while it is live. */
  const answers = new Map<string, { sessionId: string; messageId: string }>()

  const recorder = createRecorder(history, {
    onEvents(turnId, events) {
      const answer = answers.get(turnId)
      if (answer) mirror.publish({ slice: 'turn', ...answer, events: [...events] })
    },
    onSaved(turnId, saved) {
      const { message } = saved
      if (message !== null) {
        const known = answers.has(turnId)
        const ended = message.answer?.state !== 'answering'
        if (ended) answers.delete(turnId)
        else if (!known) answers.set(turnId, { sessionId: saved.sessionId, messageId: message.id })
        if (!known || ended) mirror.publish({ slice: 'message', value: message })
      }
      if (saved.session !== null) onSession(saved.session)
    }
  })
  const drafts = createDraftKeeper(history)
  const pump = createPump({ history, link, recorder, clock, random: options.random, log, onMessage })
  const desk = createDesk({ history, pump, clock, newId, onMessage, onSession })

  const desktopStatus = (): DesktopStatus => ({
    ...shell.status(),
    version: options.version,
    keyStorage: care.keyStorage(),
    locked: care.locked(),
    historyIncident
  })
  const announce: Desktop['announce'] = (level, text, sticky) => {
    const value: Announcement = { id: newId(), level, text, sticky }
    if (sticky) announcements.set(value.id, value)
    mirror.publish({ slice: 'announcement', value })
  }
  const changeSettings = async (patch: Parameters<typeof patchSettings>[1]): Promise<Settings> => {
    const before = settings.get()
    const after = patchSettings(before, patch)
    settings.set(after)
    mirror.publish({ slice: 'settings', value: after })
    await shell.apply(after)
    mirror.publish({ slice: 'desktop', value: desktopStatus() })
    if (JSON.stringify(before.service) !== JSON.stringify(after.service) && options.restartService) {
      background(options.restartService(), 'service.restart')
    }
    return after
  }

  async function snapshot(): Promise<Snapshot> {
    // The number first: what changes while the rest is read comes again as a delta, and deltas replace.
    const seq = mirror.flush()
    const [sessions, waiting, kept] = care.locked()
      ? [[], 0, {}]
      : await Promise.all([history.listSessions({ status: 'active', limit: 200 }), history.waitingCount(), drafts.all()])
    return {
      seq,
      link: link.status(),
      settings: settings.get(),
      desktop: desktopStatus(),
      sessions: [...sessions],
      waiting,
      overlaySessionId,
      announcements: [...announcements.values()],
      jobs: jobs.list(),
      drafts: kept
    }
  }

  const wake = (): void => {
    if (!care.locked()) pump.wake()
  }
  /** Also after an import: windows forget what they have loaded and ask anew. */
  const historyReplaced = (): void => {
    mirror.publish({ slice: 'history-replaced' })
    mirror.publish({ slice: 'desktop', value: desktopStatus() })
    wake()
  }
  const incidentHappened = (text: string): void => {
    historyIncident = text
    announce('warning', text, true)
  }

  const unsubscribe = [
    link.onStatus((status) => {
      mirror.publish({ slice: 'link', value: status })
      wake()
    }),
    care.onReplaced(({ incident }) => {
      if (incident !== null) incidentHappened(incident)
      historyReplaced()
    }),
    shell.onStatus(() => mirror.publish({ slice: 'desktop', value: desktopStatus() }))
  ]
  if (options.historyIncident !== null) announce('warning', options.historyIncident, true)
  for (const text of options.announcements) announce('warning', text, true)

  const desktop: Desktop = {
    mirror,
    desk,
    snapshot,
    announce,
    incident: (text) => {
      incidentHappened(text)
      historyReplaced()
    },
    router: createRouter(
      createHandlers({
        history,
        desk,
        jobs,
        care: createCareHandlers({
          history,
          care,
          drafts,
          jobs,
          shell,
          stopTurn: (turnId) => desk.stop(turnId),
          pause: () => pump.pause(),
          announce,
          onReplaced: historyReplaced,
          onStatus: () => mirror.publish({ slice: 'desktop', value: desktopStatus() }),
          clock,
          signal: ending.signal
        }),
        transfer: createTransferHandlers({
          exporter: createExporter({ history, jobs, render: options.renderPages, newId }),
          importer: createImporter({
            history,
            jobs,
            reader: options.importReader,
            newId,
            onImported: historyReplaced
          }),
          shell,
          clock
        }),
        link,
        shell,
        secrets: options.secrets,
        clock,
        newId,
        snapshot,
        changeSettings,
        onSession,
        onSessionRemoved: (id) => mirror.publish({ slice: 'session-removed', id }),
        onSecretChanged: () => {
          if (options.restartService) background(options.restartService(), 'service.restart')
        },
        dismiss: (id) => announcements.delete(id),
        showOverlay: (sessionId) => desktop.showOverlay(sessionId),
        showMain: async (sessionId) => {
          await shell.showMain(sessionId)
          desktop.command('focus-composer', 'main', sessionId === null ? {} : { sessionId })
        }
      }),
      log
    ),
    command(command, window, more = {}) {
      mirror.publish({ slice: 'command', command, ...more }, window)
    },
    async showOverlay(sessionId) {
      if (sessionId !== null) overlaySessionId = sessionId
      await shell.showOverlay(overlaySessionId)
      desktop.command('focus-composer', 'overlay', overlaySessionId === null ? {} : { sessionId: overlaySessionId })
    },
    async sessionNamed(title) {
      const found = await history.listSessions({ text: title, limit: 200 })
      const same = found.find((session) => session.title === title)
      if (same) return same
      const made = await history.createSession(newSession({ title }, newId(), clock.now()))
      onSession(made)
      return made
    },
    async *askAndFollow(input, { signal, patienceMs }) {
      following += 1
      const done = new AbortController()
      const both = AbortSignal.any([signal, done.signal])
      const events = recorder.follow(input.turnId, both)
      let begun = false
      let impatient: NodeJS.Timeout | null = null
      let giveUp = new CopilotError('offline', 'The service can’t be reached. Your question is kept and will be sent when it can.')
      followers.set(input.turnId, ({ delivery }) => {
        if (delivery?.state !== 'failed' && delivery?.state !== 'cancelled') return
        giveUp = delivery.error === null ? new CopilotError('cancelled', 'Stopped.') : CopilotError.fromWire(delivery.error)
        done.abort()
      })
      const unwatch = link.onStatus((status) => {
        if (status.state === 'online' && impatient !== null) {
          clearTimeout(impatient)
          impatient = null
        } else if (status.state !== 'online' && !begun) watch()
      })
      const watch = (): void => {
        impatient ??= setTimeout(() => done.abort(), patienceMs)
      }
      try {
        const first = events.next()
        first.catch(() => undefined)
        await desk.ask(input)
        if (link.status().state !== 'online') watch()
        for (let next = await first; !next.done; next = await events.next()) {
          begun = true
          if (impatient !== null) clearTimeout(impatient)
          yield next.value
        }
      } catch (error) {
        throw done.signal.aborted && !signal.aborted ? giveUp : error
      } finally {
        following -= 1
        followers.delete(input.turnId)
        unwatch()
        if (impatient !== null) clearTimeout(impatient)
        done.abort()
      }
    },
    recheck() {
      link.recheck()
      // Timers stand still while a machine sleeps: what became due or old meanwhile shows now.
      pump.wake()
    },
    busy: () => following > 0 || pump.inFlight().size > 0,
    async stop() {
      stopped = true
      clearInterval(tendTimer)
      clearTimeout(firstTend)
      for (const end of unsubscribe) end()
      ending.abort()
      await jobs.stop()
      await tending
      await pump.stop()
      await link.stop()
      mirror.stop()
      await drafts.flush()
      await history.close()
    }
  }
  let tending: Promise<void> = Promise.resolve()
  const tend = (): void => {
    if (desktop.busy()) return
    tending = tending.then(async () => {
      for (const text of await care.tend(ending.signal)) {
        announce('info', text, false)
        historyReplaced()
      }
    })
    background(
      tending.catch((error: unknown) => {
        if (!isAbort(error)) throw error
      }),
      'history.tend'
    )
    tending = tending.catch(() => undefined)
  }
  const tendTimer = setInterval(tend, TEND_EVERY_MS)
  const firstTend = setTimeout(tend, TEND_FIRST_MS)
  tendTimer.unref()
  firstTend.unref()
  wake()
  return desktop
}
