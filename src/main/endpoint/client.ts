// The caller's side of the running app's local door.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { CopilotError } from '../../shared/errors.ts'
import { replySchema, MAX_LINE_BYTES, type EndpointCall, type EndpointReply, type EndpointStatus, type HostInfo } from './endpoint.ts'
import { readHostFile } from './hostFile.ts'
import { parseLine, readLines, writeLine } from './lines.ts'

export interface HostConnection {
  /** Sends the one request and yields what comes back, the `end` line excluded. Throws what an `error` line says. */
  call(request: EndpointCall): AsyncGenerator<EndpointReply, void>
  /** Stops the turn that was asked for here. */
  cancel(): Promise<void>
  close(): void
}

/** A connection to the host of this data folder; null when none runs. */
export async function connectToHost(dataDir: string): Promise<HostConnection | null> {
  const host = await readHostFile(dataDir)
  if (host === null) return null
  const socket = connect(host.path)
  try {
    await once(socket, 'connect')
  } catch {
    return null // the file of a host that has gone; the next one replaces it
  }
  return talk(socket, host)
}

const HOST_GONE = { reason: 'host-gone' }

/** The host ended in the middle of a conversation. Asking again is safe: a turn id is answered once. */
export function isHostGone(error: unknown): boolean {
  return error instanceof CopilotError && error.details?.['reason'] === HOST_GONE.reason
}

function gone(cause?: unknown): CopilotError {
  return new CopilotError('unavailable', 'Aside ended before the answer did. What was saved goes on when Aside runs again.', {
    cause,
    details: HOST_GONE
  })
}

function talk(socket: Socket, host: HostInfo): HostConnection {
  socket.on('error', () => socket.destroy()) // whoever reads is told as well
  return {
    async *call(request) {
      await writeLine(socket, { ...request, token: host.token })
      try {
        for await (const line of readLines(socket, MAX_LINE_BYTES)) {
          const reply = replySchema.safeParse(parseLine(line))
          if (!reply.success)
            throw new CopilotError('internal', 'The running Aside answered in a way this command does not understand. Are both the same version?', {
              cause: reply.error
            })
          if (reply.data.type === 'end') return
          if (reply.data.type === 'error') throw CopilotError.fromWire(reply.data.error)
          yield reply.data
        }
      } catch (error) {
        throw error instanceof CopilotError ? error : gone(error)
      } finally {
        socket.destroy()
      }
      throw gone()
    },
    cancel: () => writeLine(socket, { method: 'cancel' }),
    close: () => void socket.destroy()
  }
}

/** How the host of this data folder is; null when none runs. */
export async function hostStatus(dataDir: string): Promise<EndpointStatus | null> {
  const connection = await connectToHost(dataDir)
  if (connection === null) return null
  for await (const reply of connection.call({ method: 'status' })) if (reply.type === 'status') return reply.status
  return null
}
