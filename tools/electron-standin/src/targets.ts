// Chromium's pages: every one is held before it runs anything, so that the app's own get their preload and popups are asked about.
import type { HandlerDetails } from 'electron'
import { ignoreGone, type Cdp, type CdpSession, type Events } from './cdp.ts'
import { violation } from './state.ts'

type TargetInfo = Events['Target.targetCreated'][0]['targetInfo']

/** What owns a page: a webContents. */
export interface TargetOwner {
  onDestroyed(): void
  /** Chromium itself has gone, and the page with it. */
  onKilled(): void
  getURL(): string
  /** The app's answer to window.open, by setWindowOpenHandler; null when it has set none. */
  askToOpen(details: HandlerDetails): 'allow' | 'deny' | null
}

export interface Targets {
  /** Runs `open`, which opens one window, and gives its target to `owner` before it runs anything. */
  adopt(
    owner: TargetOwner,
    open: () => Promise<string>,
    onEvent: (name: string, event: unknown) => void
  ): Promise<{ targetId: string; session: CdpSession }>
  /** Remembers what a page is about to open: popups without an opener are told apart by nothing else. */
  expectPopup(owner: TargetOwner, details: HandlerDetails): void
  /** The session of some open page: what concerns the whole profile is asked there. */
  anySession(): string | undefined
}

/** `runAtOnce`: pages must run to be recognised by their title (visible windows). */
export async function watchTargets(cdp: Cdp, { runAtOnce }: { runAtOnce: boolean }): Promise<Targets> {
  const attached = new Map<string, { sessionId: string; info: TargetInfo }>()
  const owners = new Map<string, TargetOwner>()
  /** Targets of popups: a request of theirs may still be told when they have gone. */
  const refused = new Set<string>()
  const arrivals = new Map<string, () => void>()
  let opening = 0
  let expected: { owner: TargetOwner; details: HandlerDetails } | null = null

  const resume = (sessionId: string): Promise<unknown> => cdp.sendTo(sessionId, 'Runtime.runIfWaitingForDebugger').catch(ignoreGone)

  /** A held popup holds its opener, too, so it must run before it can be closed. What it asks for is refused below. */
  async function closePopup(sessionId: string, targetId: string): Promise<void> {
    await resume(sessionId)
    await cdp.send('Target.closeTarget', { targetId }).catch(ignoreGone)
  }

  /** Documents of the whole browser. A page's main frame has its target's id, so what belongs to no owner is a popup's. */
  function onDocument({ requestId, frameId }: Events['Fetch.requestPaused'][0]): void {
    const isPopup = refused.has(frameId) || (attached.has(frameId) && !owners.has(frameId))
    const answer = isPopup ? cdp.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' }) : cdp.send('Fetch.continueRequest', { requestId })
    answer.catch(ignoreGone)
  }

  async function refusePopup(sessionId: string, info: TargetInfo): Promise<void> {
    refused.add(info.targetId)
    const owner = (info.openerId === undefined ? undefined : owners.get(info.openerId)) ?? expected?.owner
    const details =
      expected && expected.owner === owner
        ? expected.details
        : { url: info.url, frameName: '', features: '', disposition: 'foreground-tab' as const, referrer: { url: '', policy: 'default' as const } }
    expected = null
    // Without a handler Electron allows.
    const answer = owner?.askToOpen(details) ?? (owner ? 'allow' : 'deny')
    if (answer === 'allow') violation(`window.open(${details.url}) was allowed: child windows are not in the stand-in, it was closed`)
    attached.delete(info.targetId)
    await closePopup(sessionId, info.targetId)
  }

  function onAttached({ sessionId, targetInfo, waitingForDebugger }: Events['Target.attachedToTarget'][0]): void {
    if (targetInfo.type !== 'page') {
      if (waitingForDebugger) void resume(sessionId)
      return
    }
    attached.set(targetInfo.targetId, { sessionId, info: targetInfo })
    const hasOpener = targetInfo.openerId !== undefined && owners.has(targetInfo.openerId)
    if (hasOpener || opening === 0) {
      void refusePopup(sessionId, targetInfo)
      return
    }
    if (runAtOnce) void resume(sessionId)
    arrivals.get(targetInfo.targetId)?.()
  }

  const arrival = (targetId: string): Promise<void> =>
    new Promise((resolve, reject) => {
      if (attached.has(targetId)) resolve()
      arrivals.set(targetId, resolve)
      cdp.gone.addEventListener('abort', () => reject(cdp.gone.reason as Error), { once: true })
    })

  cdp.on('Target.attachedToTarget', onAttached)
  cdp.on('Target.targetDestroyed', ({ targetId }) => {
    attached.delete(targetId)
    const owner = owners.get(targetId)
    owners.delete(targetId)
    owner?.onDestroyed()
  })
  cdp.gone.addEventListener('abort', () => {
    for (const owner of owners.values()) owner.onKilled()
    owners.clear()
  })
  cdp.on('Fetch.requestPaused', onDocument)
  const filter = [{ type: 'page' }]
  await Promise.all([
    cdp.send('Fetch.enable', { patterns: [{ urlPattern: '*', resourceType: 'Document' }] }),
    cdp.send('Target.setDiscoverTargets', { discover: true, filter }),
    cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true, filter })
  ])

  return {
    async adopt(owner, open, onEvent) {
      opening += 1
      let targetId: string
      try {
        targetId = await open()
        await arrival(targetId)
        owners.set(targetId, owner)
      } finally {
        opening -= 1
      }
      arrivals.delete(targetId)
      // A popup that came while a window was being opened was taken for it.
      if (opening === 0) for (const [id, { sessionId, info }] of attached) if (!owners.has(id)) void refusePopup(sessionId, info)
      return { targetId, session: cdp.session(attached.get(targetId)?.sessionId ?? '', onEvent) }
    },
    expectPopup(owner, details) {
      expected = { owner, details }
    },
    anySession: () => [...owners.keys()].map((targetId) => attached.get(targetId)?.sessionId).find((sessionId) => sessionId !== undefined)
  }
}
