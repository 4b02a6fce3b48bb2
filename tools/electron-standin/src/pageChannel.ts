// IPC between main and one page: text in both directions, one CDP call for everything that is waiting to go out.
import type { CdpSession } from './cdp.ts'
import { hooks } from './hooks.ts'
import { IpcMain, ipcMain } from './ipcMain.ts'
import { decode, encode } from './page/codec.ts'
import type { MainSays, PageSays } from './page/protocol.ts'
import { violation } from './state.ts'

export interface PageChannelOptions {
  readonly session: CdpSession
  /** Global function of the isolated world that takes a batch. */
  readonly inbox: string
  /** `webContents.ipc`, which is asked first. */
  readonly ipc: IpcMain
  /** The event object for a listener or handler. */
  readonly createEvent: () => object
  readonly onMessage: (event: object, channel: string, args: unknown[]) => void
  readonly onPreloadError: (error: Error) => void
  readonly onNews: (news: string) => void
  readonly onTitle: (title: string) => void
}

export interface PageChannel {
  /** The isolated world of the document there is now; 0 when there is none. */
  setContext(id: number): void
  readonly context: number
  /** A text from the page. */
  receive(text: string): void
  send(channel: string, args: unknown[]): void
}

function countDropped(channel: string, count: number): void {
  hooks.dropped[channel] = (hooks.dropped[channel] ?? 0) + count
}

function encodeAnswer(id: number, value: unknown): string {
  try {
    return encode([id, value])
  } catch (error) {
    throw new Error('An object could not be cloned.', { cause: error })
  }
}

export function createPageChannel({ session, inbox, ipc, createEvent, onMessage, onPreloadError, onNews, onTitle }: PageChannelOptions): PageChannel {
  let context = 0
  let outbox: string[] = []
  let busy = false

  async function flush(): Promise<void> {
    while (outbox.length > 0) {
      const batch = outbox
      outbox = []
      await session
        .send('Runtime.callFunctionOn', {
          functionDeclaration: `function (batch) { globalThis.${inbox}(batch) }`,
          executionContextId: context,
          arguments: [{ value: batch }]
        })
        // The document went away with the messages, as it does in Electron.
        .catch(() => countDropped('(document gone)', batch.length))
    }
    busy = false
  }

  /** `to` is the document that this is for: an answer to one that has gone is lost. */
  function post(kind: MainSays, body: string, to: number, channel: string): void {
    if (to === 0 || to !== context) {
      countDropped(channel, 1)
      return
    }
    outbox.push(kind + body)
    if (busy) return
    busy = true
    queueMicrotask(() => void flush())
  }

  function onSend([channel, args]: [string, unknown[]]): void {
    const event = createEvent()
    onMessage(event, channel, args)
    const heard = [ipc.emit(channel, event, ...args), ipcMain.emit(channel, event, ...args)]
    if (!heard.includes(true)) violation(`ipcRenderer.send('${channel}') has no listener in main: Electron drops it silently`)
  }

  async function onInvoke([channel, id, args]: [string, number, unknown[]]): Promise<void> {
    const from = context
    try {
      const handler = IpcMain.handlerOf(ipc, channel) ?? IpcMain.handlerOf(ipcMain, channel)
      if (!handler) throw new Error(`No handler registered for '${channel}'`)
      post('r', encodeAnswer(id, await handler(createEvent(), ...args)), from, channel)
    } catch (error) {
      console.error(`Error occurred in handler for '${channel}':`, error)
      post('e', encode([id, `Error invoking remote method '${channel}': ${String(error)}`]), from, channel)
    }
  }

  return {
    get context() {
      return context
    },
    setContext(id) {
      if (id === 0) outbox = []
      context = id
    },
    receive(text) {
      const kind = text[0] as PageSays
      const body = text.slice(1)
      if (kind === 'w') onNews(body)
      else if (kind === 't') onTitle(body)
      else if (kind === 'p') onPreloadError(decode(body) as Error)
      else if (kind === 'm') onSend(decode(body) as [string, unknown[]])
      else void onInvoke(decode(body) as [string, number, unknown[]])
    },
    send(channel, args) {
      let body: string
      try {
        body = encode([channel, args])
      } catch {
        violation(`webContents.send('${channel}'): Failed to serialize arguments (Electron only logs this and drops the message)`)
        return
      }
      post('m', body, context, channel)
    }
  }
}
