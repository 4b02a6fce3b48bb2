// What each call of the bridge does: one line or a few each, the work is elsewhere.
import type { Snapshot } from '../../shared/bridge.ts'
import type { Session, Settings, SettingsPatch } from '../../shared/domain.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock, NewId } from '../../shared/kit/clock.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { Desk } from '../ask/desk.ts'
import type { Secrets } from '../auth/secrets.ts'
import type { History } from '../history/history.ts'
import type { Link } from '../link/link.ts'
import { newSession } from '../sessions/newSession.ts'
import type { Shell } from '../shell.ts'
import type { Jobs } from '../jobs.ts'
import type { CareHandlers } from './careHandlers.ts'
import type { BridgeHandlers } from './router.ts'
import type { TransferHandlers } from './transferHandlers.ts'

export interface HandlerOptions {
  readonly history: History
  readonly desk: Desk
  readonly jobs: Jobs
  readonly care: CareHandlers
  readonly transfer: TransferHandlers
  readonly link: Link
  readonly shell: Shell
  readonly secrets: Secrets
  readonly clock: Clock
  readonly newId: NewId
  readonly snapshot: () => Promise<Snapshot>
  readonly changeSettings: (patch: SettingsPatch) => Promise<Settings>
  readonly onSession: (session: Session) => void
  readonly onSessionRemoved: (id: string) => void
  readonly onSecretChanged: () => void
  readonly dismiss: (announcementId: string) => void
  readonly showOverlay: (sessionId: string | null) => Promise<void>
  readonly showMain: (sessionId: string | null) => Promise<void>
}

const OPENABLE = new Set(['https:', 'http:', 'mailto:'])

/** Only what a browser or a mail program opens safely. @throws CopilotError `refused` for anything else. */
export function checkLink(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || !OPENABLE.has(parsed.protocol)) {
    throw new CopilotError('refused', 'Aside opens only web and mail links. Copy this one if you trust it.')
  }
  return parsed.href
}

export function createHandlers(options: HandlerOptions): BridgeHandlers {
  const { history, desk, link, shell, clock, newId } = options
  /** A search that is no longer wanted makes way for the one that is. */
  let searching = new AbortController()

  return {
    ...options.care,
    ...options.transfer,
    snapshot: () => options.snapshot(),
    'turn.ask': (input) => desk.ask(input),
    'turn.stop': async ({ turnId }) => done(await desk.stop(turnId)),
    'turn.again': ({ messageId, turnId }) => desk.askAgain(messageId, turnId),
    'turn.edit': ({ messageId, text }) => desk.edit(messageId, text),
    'outbox.sendNow': async ({ messageId }) => done(await desk.sendNow(messageId)),
    'outbox.cancel': async ({ messageId }) => done(await desk.cancel(messageId)),
    'outbox.list': async () => [...(await desk.waiting())],

    'sessions.create': async (details) => {
      const session = await history.createSession(newSession(cleanDetails(details), newId(), clock.now()))
      options.onSession(session)
      return session
    },
    'sessions.update': async ({ id, details, pinned, status }) => {
      const change = {
        ...(details === undefined ? {} : { details: cleanDetails(details) }),
        ...(pinned === undefined ? {} : { pinned }),
        ...(status === undefined ? {} : { status })
      }
      const session = await history.updateSession(id, change, clock.now())
      options.onSession(session)
      return session
    },
    'sessions.remove': async ({ id }) => {
      await history.removeSession(id)
      options.onSessionRemoved(id)
      return null
    },
    'sessions.get': async ({ id }) => {
      const session = await history.session(id)
      if (session === null) throw new CopilotError('not_found', 'This session is no longer in the history.')
      return session
    },
    'sessions.list': async (filter) => [...(await history.listSessions(filter))],

    'messages.page': (request) => history.page(request),
    'search.query': (query) => {
      searching.abort()
      searching = new AbortController()
      return history.search(query, searching.signal)
    },
    'usage.report': (range) => history.usage(range),

    'settings.change': (patch) => options.changeSettings(patch),
    'settings.providerKey': async ({ provider, key }) => {
      await options.secrets.set(`provider.${provider}`, key.trim() === '' ? null : key.trim())
      options.onSecretChanged()
      return { set: key.trim() !== '' }
    },

    'overlay.show': async ({ sessionId }) => done(await options.showOverlay(sessionId)),
    'overlay.hide': async () => done(await shell.hideOverlay()),
    'window.showMain': async ({ sessionId }) => done(await options.showMain(sessionId)),
    'link.open': async ({ url }) => done(await shell.openExternal(checkLink(url))),
    'link.retry': () => done(link.recheck()),
    'clipboard.write': async ({ text }) => done(await shell.writeClipboard(text)),
    'job.cancel': ({ id }) => done(options.jobs.cancel(id)),
    'job.dismiss': ({ id }) => done(options.jobs.dismiss(id)),
    'announcement.dismiss': ({ id }) => done(options.dismiss(id))
  }
}

const done = (_nothing: void): null => null

function cleanDetails(details: Partial<Session>): Partial<Session> {
  return Object.fromEntries(
    Object.entries(details)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === 'string' ? cleanText(value) : value])
  )
}
