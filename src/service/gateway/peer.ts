// One connected client, however it is connected: the part of a socket that the dialects speak to. Socket.IO and plain
// WebSockets each bring a `Wire`; the rules about refusing, flooding and slow reading are here, once.
import { toCopilotError } from '../../shared/errors.ts'
import { requireFresh, type Caller } from '../auth/caller.ts'
import { correlationId as currentId } from '../correlation.ts'
import { errorFields } from '../logging.ts'
import type { Conduct } from './conduct.ts'
import { toSocketError, type AiError } from './foreignErrors.ts'
import type { GatewayParts } from './gateway.ts'
import { tooSlow, type Outgoing } from './outgoing.ts'

export interface Wire {
  /** Hands one event to the transport, in order. */
  send(type: string, data: object): void
  /** What waits for the reader. */
  readonly outgoing: Outgoing
  /** True once the client has certainly read all that was sent so far; false when it has gone without that proof. */
  proof(): Promise<boolean>
  /** Says why, then closes with that code. */
  sayThenClose(error: AiError): void
}

/** What an error is about, for a client that has several things open. */
export interface ErrorIds {
  readonly turnId?: string
  readonly messageId?: string
  readonly sessionId?: string
}

export interface Peer {
  readonly caller: Caller
  /** Aborted when the client has gone. */
  readonly gone: AbortSignal
  /** Dropped when the client has gone; a client that never reads is closed. */
  send(type: string, data: object): void
  /** Cheaper to ask than to wait for `room` after each piece. */
  readonly isFull: boolean
  /** An answer waits here between two pieces. A reader who is too slow is closed, and `gone` with it. */
  room(): Promise<void>
  /** True once the client has certainly read all that was sent so far; false when it has gone without that proof. */
  proof(): Promise<boolean>
  /** Before every message: counts it. Throws `unauthenticated` (the token has run out) and `rate_limited`. */
  take(): void
  /** The message was good. */
  accepted(): void
  /** Tells an error, and ends the connection where it has to. */
  refuse(error: unknown, ids?: ErrorIds, how?: RefuseOptions): void
}

export interface RefuseOptions {
  /** Told first, also when the connection ends. */
  readonly ack?: ((told: AiError) => void) | undefined
  /** Instead of the `error` event, for a dialect that has one of its own. */
  readonly say?: (told: AiError) => void
}

export interface PeerOptions {
  readonly caller: Caller
  readonly wire: Wire
  readonly conduct: Conduct
  readonly gone: AbortSignal
  readonly parts: Pick<GatewayParts, 'clock' | 'newId' | 'logger' | 'meter'>
}

export function createPeer({ caller, wire, conduct, gone, parts: { clock, newId, logger, meter } }: PeerOptions): Peer {
  let closing = false
  const close = (error: unknown): void => {
    if (closing || gone.aborted) return
    closing = true
    wire.sayThenClose(toSocketError(error, { correlationId: currentId() ?? newId() }))
  }
  const send: Peer['send'] = (type, data) => {
    if (closing || gone.aborted) return
    if (wire.outgoing.isOverflowing) close(tooSlow())
    else wire.send(type, data)
  }
  return {
    caller,
    gone,
    send,
    get isFull() {
      return wire.outgoing.isFull
    },
    async room() {
      try {
        await wire.outgoing.room(gone)
      } catch (error) {
        meter.refused(toCopilotError(error).code)
        close(error)
      }
    },
    proof: () => wire.proof(),
    take() {
      meter.message()
      requireFresh(caller, clock.now())
      conduct.message()
    },
    accepted: () => conduct.accepted(),
    refuse(error, ids = {}, { ack, say = (told: AiError) => send('error', told) } = {}) {
      if (closing || gone.aborted) return
      const correlationId = currentId() ?? newId()
      const { code } = toCopilotError(error)
      meter.refused(code)
      if (code === 'internal') logger.error({ correlationId, ...ids, ...errorFields(error) }, 'socket.bug')
      const told = toSocketError(error, { correlationId, ...ids })
      ack?.(told)
      const isOut = conduct.refused()
      // The token was part of the handshake: one that has run out needs a new connection.
      if (code === 'unauthenticated' || isOut) close(error)
      else say(told)
    }
  }
}
