// The IPC door between our pages and the core: checks who is calling, and starts a page's pushes with its first snapshot.
import { ipcMain, type IpcMainInvokeEvent, type WebContents } from 'electron'
import { CALL_CHANNEL, PUSH_CHANNEL } from '../../shared/channels.ts'
import type { Envelope } from '../../shared/bridge.ts'
import type { Desktop } from '../desktop.ts'
import type { WindowKind } from '../ipc/mirror.ts'
import { isOurPage } from './protocol.ts'

const FOREIGN: Envelope = { ok: false, error: { code: 'forbidden', message: 'Only Aside’s own windows may ask for this.' } }

/** `desktop` resolves once the core is composed; calls that come earlier wait for it. Returns the function that ends it. */
export function handleIpc(desktop: Promise<Desktop>, devUrl: string | null): () => void {
  const subscriptions = new Map<WebContents, () => void>()
  const drop = (page: WebContents): void => {
    subscriptions.get(page)?.()
    subscriptions.delete(page)
  }
  const subscribe = (page: WebContents, kind: WindowKind, core: Desktop): void => {
    const known = subscriptions.has(page)
    drop(page)
    subscriptions.set(
      page,
      core.mirror.subscribe(kind, (push) => {
        if (!page.isDestroyed()) page.send(PUSH_CHANNEL, push)
      })
    )
    if (known) return
    page.on('destroyed', () => drop(page))
    // A page that reloads asks for its own snapshot; until then nobody listens there.
    page.on('did-navigate', () => drop(page))
    page.on('render-process-gone', () => drop(page))
  }
  const kindOf = (event: IpcMainInvokeEvent): WindowKind | null => {
    const frame = event.senderFrame
    if (frame === null || frame.parent !== null || !isOurPage(frame.url, devUrl)) return null
    return new URL(frame.url).pathname.endsWith('/overlay.html') ? 'overlay' : 'main'
  }

  ipcMain.handle(CALL_CHANNEL, async (event, method: unknown, input: unknown): Promise<Envelope> => {
    const kind = kindOf(event)
    if (kind === null) return FOREIGN
    const core = await desktop
    if (method === 'snapshot') subscribe(event.sender, kind, core)
    return core.router.call(method, input)
  })
  return () => {
    ipcMain.removeHandler(CALL_CHANNEL)
    for (const end of subscriptions.values()) end()
    subscriptions.clear()
  }
}
