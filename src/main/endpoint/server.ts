// Listens for the command line: reads one request a connection, checks that the caller could read host.json, and tells
// what the desktop answers.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import type { Timers } from '../link/timers.ts'
import { connectToHost } from './client.ts'
import {
  cancelSchema,
  MAX_LINE_BYTES,
  requestSchema,
  type EndpointAsk,
  type EndpointHandlers,
  type EndpointReply,
  type EndpointRequest,
  type HostInfo
} from './endpoint.ts'
import { chooseSocketPlace, removeHostFile, writeHostFile } from './hostFile.ts'
import { parseLine, readLines, writeLine } from './lines.ts'

export interface EndpointOptions {
  readonly dataDir: string
  readonly handlers: EndpointHandlers
  readonly timers: Timers
  /** A request failed in a way that is a bug; the caller is told `internal`. */
  readonly onBug: (error: unknown) => void
}

export interface Endpoint {
  /** Open connections: somebody outside waits for something. */
  connections(): number
  /** Ends every connection, and takes host.json and the socket away. */
  stop(): Promise<void>
}

/** How long a caller may take to say what it wants. */
const REQUEST_LIMIT_MS = 5_000
const LINGER_MS = 1_000

/** @throws CopilotError `conflict` when another host serves this data folder, `unavailable` when it can't be written. */
export async function openEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const { dataDir } = options
  const running = await connectToHost(dataDir)
  if (running !== null) {
    running.close()
    throw new CopilotError('conflict', `Aside already runs with the data in ${dataDir}. Use that one, or set ASIDE_DATA_DIR to another folder.`)
  }
  const place = await chooseSocketPlace(dataDir, process.platform)
  const host: HostInfo = { version: 1, pid: process.pid, path: place.path, token: randomBytes(32).toString('base64url') }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()) // a caller that went away; there is nobody to tell
    socket.once('close', () => sockets.delete(socket))
    void serve(socket, host, options)
  })
  try {
    // What a host that died has left; the one above would have answered.
    if (process.platform !== 'win32') await rm(place.path, { force: true })
    await listen(server, place.path)
    await writeHostFile(dataDir, host)
  } catch (error) {
    server.close()
    throw new CopilotError('unavailable', `Aside can’t open its local door in ${dataDir}. Check that the folder is yours and the disk has room.`, {
      cause: error
    })
  }

  return {
    connections: () => sockets.size,
    async stop() {
      await removeHostFile(dataDir, host)
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
      if (place.ownFolder !== null) await rm(place.ownFolder, { recursive: true, force: true })
    }
  }
}

async function listen(server: Server, path: string): Promise<void> {
  server.listen(path)
  await once(server, 'listening')
  if (process.platform !== 'win32') await chmod(path, 0o600)
}

async function serve(socket: Socket, host: HostInfo, { handlers, timers, onBug }: EndpointOptions): Promise<void> {
  const reply = (line: EndpointReply): Promise<void> => writeLine(socket, line)
  const lines = readLines(socket, MAX_LINE_BYTES)
  const hurry = timers.after(REQUEST_LIMIT_MS, () => socket.destroy())
  try {
    const first = await lines.next()
    hurry()
    if (first.done !== true) {
      await answer(requestOf(first.value, host.token), { handlers, lines, socket, reply })
      await reply({ type: 'end' })
    }
  } catch (error) {
    if (!socket.destroyed) {
      const failure = toCopilotError(error)
      if (failure.code === 'internal') onBug(error)
      await reply({ type: 'error', error: failure.toWire() })
    }
  } finally {
    hurry()
    linger(socket, timers)
  }
}

/** Lets the caller read the last line before the socket goes: what it still sends is thrown away, for a moment. */
function linger(socket: Socket, timers: Timers): void {
  const callOff = timers.after(LINGER_MS, () => socket.destroy())
  socket.once('close', callOff)
  socket.end()
  socket.resume()
}

interface Caller {
  readonly handlers: EndpointHandlers
  readonly lines: AsyncGenerator<string, void>
  readonly socket: Socket
  readonly reply: (line: EndpointReply) => Promise<void>
}

async function answer(request: EndpointRequest, { handlers, lines, socket, reply }: Caller): Promise<void> {
  switch (request.method) {
    case 'status':
      return reply({ type: 'status', status: handlers.status() })
    case 'show':
      if (handlers.show === null) throw new CopilotError('unavailable', 'Aside runs without windows here. Start it with windows: npm start.')
      return handlers.show(request.params)
    case 'stop':
      if (handlers.stop === null) throw new CopilotError('forbidden', 'This Aside was started by a person; quit it from its own menu.')
      return handlers.stop()
    case 'ask':
      return tell(request.params, { handlers, lines, socket, reply })
  }
}

/** The turn's events out, and meanwhile `cancel` in. A line that is neither ends the conversation; the turn goes on. */
async function tell(question: EndpointAsk, { handlers, lines, socket, reply }: Caller): Promise<void> {
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  listenForCancel(lines, () => handlers.stopTurn(question.turnId)).catch((error: unknown) => gone.abort(error))
  try {
    for await (const event of handlers.ask(question, gone.signal)) {
      await reply({ type: 'event', event })
      if (gone.signal.aborted) break
    }
  } catch (error) {
    gone.signal.throwIfAborted()
    throw error
  }
  gone.signal.throwIfAborted()
}

async function listenForCancel(lines: AsyncGenerator<string, void>, stopTurn: () => Promise<void>): Promise<void> {
  for await (const line of lines) {
    if (!cancelSchema.safeParse(parseLine(line)).success)
      throw new CopilotError('invalid_request', 'While an answer comes, only “cancel” is understood.')
    await stopTurn()
  }
}

function requestOf(line: string, token: string): EndpointRequest {
  const parsed = requestSchema.safeParse(parseLine(line))
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
    throw new CopilotError('invalid_request', `This request is not understood (${where.slice(0, 300)}).`, { cause: parsed.error })
  }
  if (!sameToken(parsed.data.token, token)) throw new CopilotError('forbidden', 'This caller has not read host.json: its token is another one.')
  return parsed.data
}

/** Takes the same time wherever they differ; digests, because the comparison wants equal lengths. */
function sameToken(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
