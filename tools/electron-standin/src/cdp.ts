// The Chrome DevTools Protocol over --remote-debugging-pipe: NUL-separated JSON, out on fd 3, in on fd 4.
import { EventEmitter } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { ProtocolMapping } from 'devtools-protocol/types/protocol-mapping.js'

export type Commands = ProtocolMapping.Commands
export type Events = ProtocolMapping.Events
type Parameters<Name extends keyof Commands> = Commands[Name]['paramsType']
type Result<Name extends keyof Commands> = Promise<Commands[Name]['returnType']>

/** One attached page. */
export interface CdpSession {
  send<Name extends keyof Commands>(name: Name, ...params: Parameters<Name>): Result<Name>
  detach(): void
}

export interface Cdp {
  send<Name extends keyof Commands>(name: Name, ...params: Parameters<Name>): Result<Name>
  /** A command to a session that nobody has taken yet. */
  sendTo<Name extends keyof Commands>(sessionId: string, name: Name, ...params: Parameters<Name>): Result<Name>
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name][0]) => void): void
  off<Name extends keyof Events>(name: Name, listener: (event: Events[Name][0]) => void): void
  /** Commands to, and all events from, one session. */
  session(sessionId: string, onEvent: (name: string, event: unknown) => void): CdpSession
  /** Aborted when the other end has gone; no answer comes after that. */
  readonly gone: AbortSignal
}

interface Message {
  id?: number
  method?: string
  params?: unknown
  sessionId?: string
  result?: unknown
  error?: { code: number; message: string }
}

const GONE = 'Chromium has gone'

/** Calls `onMessage` for each NUL-ended piece of what `feed` gets, however it is cut. */
export function createFrameReader(onMessage: (text: string) => void): (chunk: Buffer) => void {
  let pieces: Buffer[] = []
  return (chunk) => {
    let from = 0
    for (let end = chunk.indexOf(0); end >= 0; end = chunk.indexOf(0, from)) {
      pieces.push(chunk.subarray(from, end))
      const text = Buffer.concat(pieces).toString('utf8')
      pieces = []
      from = end + 1
      onMessage(text)
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from))
  }
}

export function connectCdp(output: Writable, input: Readable): Cdp {
  const events = new EventEmitter().setMaxListeners(0)
  const sessions = new Map<string, (name: string, event: unknown) => void>()
  const pending = new Map<number, { name: string; resolve(value: unknown): void; reject(error: Error): void }>()
  const gone = new AbortController()
  let lastId = 0

  function answer(message: Message & { id: number }): void {
    const waiting = pending.get(message.id)
    pending.delete(message.id)
    if (message.error) waiting?.reject(new Error(`${waiting.name}: ${message.error.message}`))
    else waiting?.resolve(message.result)
  }

  function receive(text: string): void {
    const message = JSON.parse(text) as Message
    if (message.id !== undefined) answer({ ...message, id: message.id })
    else if (message.sessionId !== undefined) sessions.get(message.sessionId)?.(message.method ?? '', message.params)
    else if (message.method !== undefined) events.emit(message.method, message.params)
  }

  function end(): void {
    if (gone.signal.aborted) return
    gone.abort(new Error(GONE))
    for (const waiting of pending.values()) waiting.reject(new Error(GONE))
    pending.clear()
  }

  function command(name: string, params: unknown, sessionId: string | undefined): Promise<unknown> {
    if (gone.signal.aborted) return Promise.reject(new Error(GONE))
    lastId += 1
    const id = lastId
    return new Promise((resolve, reject) => {
      pending.set(id, { name, resolve, reject })
      output.write(`${JSON.stringify({ id, method: name, params: params ?? {}, sessionId })}\0`)
    })
  }

  input.on('data', createFrameReader(receive))
  input.on('close', end)
  output.on('error', end)

  return {
    send: <Name extends keyof Commands>(name: Name, ...params: Parameters<Name>) => command(name, params[0], undefined) as Result<Name>,
    sendTo: <Name extends keyof Commands>(sessionId: string, name: Name, ...params: Parameters<Name>) =>
      command(name, params[0], sessionId) as Result<Name>,
    on: (name, listener) => void events.on(name, listener),
    off: (name, listener) => void events.off(name, listener),
    session(sessionId, onEvent) {
      sessions.set(sessionId, onEvent)
      return {
        send: <Name extends keyof Commands>(name: Name, ...params: Parameters<Name>) => command(name, params[0], sessionId) as Result<Name>,
        detach: () => void sessions.delete(sessionId)
      }
    },
    gone: gone.signal
  }
}

const GONE_MESSAGES =
  /Chromium has gone|Session with given id not found|No target with given id|Target closed|Inspected target navigated or closed|Cannot find context|Invalid InterceptionId|No dialog is showing|No window with given id|Browser window not found|Internal error/

/** For a command that may come too late: the page's end is told by its own event, anything else is worth a line. */
export function ignoreGone(error: unknown): undefined {
  if (!(error instanceof Error && GONE_MESSAGES.test(error.message))) console.error('[standin]', error)
  return undefined
}
