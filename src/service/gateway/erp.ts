// The ERP dialect: `ai_chat`, `ai_stream` and `ai_status`, the same over Socket.IO and plain WebSockets. A client that
// names its turns reads the numbered events and may resume; others get text and an end.
import { CopilotError } from '../../shared/errors.ts'
import type { TurnEvent } from '../../shared/turn.ts'
import { pieceOf, PROTOCOL_VERSION, socketEvents, type AiAck } from '../../shared/wire/socket.ts'
import { correlationId } from '../correlation.ts'
import { admit, type Admitted } from './admission.ts'
import { listen, listenToAll, whole, type Listening } from './conversation.ts'
import { toSocketError } from './foreignErrors.ts'
import { answeredBy, type GatewayParts } from './gateway.ts'
import type { Peer } from './peer.ts'

/** Where a message wants an answer of its own (Socket.IO); null: it does not. */
export type Ack = ((answer: AiAck | Record<string, unknown>) => void) | null
export type Handle = (payload: unknown, ack: Ack) => Promise<void>

/** What each type does; rejects with what the client is to be told. */
export function erpDialect(peer: Peer, parts: GatewayParts): Readonly<Record<string, Handle>> {
  const { broker, status, newId } = parts
  const { caller, gone } = peer

  const question = async (payload: unknown, open = listen): Promise<{ asked: Admitted; listening: Listening }> => {
    const fields = fieldsOf(payload)
    const asked = admit(
      {
        message: fields['message'],
        context: fields['context'],
        userId: fields['user_id'],
        sessionId: fields['session_id'],
        turnId: fields['turn_id'],
        afterSeq: fields['after_seq'],
        quickAction: fields['quick_action']
      },
      caller,
      newId
    )
    return { asked, listening: await open(broker, caller, asked, gone) }
  }

  const accept = (ack: Ack, { turn: { turnId, messageId } }: Listening): { turnId: string; messageId: string } => {
    peer.accepted()
    ack?.({ ok: true, message_id: messageId, turn_id: turnId, protocol: PROTOCOL_VERSION })
    return { turnId, messageId }
  }

  const stream: Handle = async (payload, ack) => {
    const { asked, listening } = await question(payload)
    const ids = accept(ack, listening)
    try {
      for await (const event of listening.events()) {
        if (asked.isNamed) peer.send(socketEvents.stream, pieceOf(event, ids.messageId))
        else sayToBaseClient(peer, event, ids.messageId)
        if (peer.isFull) await peer.room()
      }
    } catch (error) {
      if (!gone.aborted) peer.refuse(error, ids)
    }
  }

  const chat: Handle = async (payload, ack) => {
    const { listening } = await question(payload, listenToAll)
    const ids = accept(ack, listening)
    try {
      const { text, at } = await whole(listening)
      peer.send(socketEvents.chat, { response: text, message_id: ids.messageId, timestamp: at, turn_id: ids.turnId })
    } catch (error) {
      if (!gone.aborted) peer.refuse(error, ids)
    }
  }

  const tellStatus: Handle = async (_payload, ack) => {
    const ready = (await status(gone)).providers.some((provider) => provider.ready)
    const answer = { status: ready ? 'ready' : 'unavailable', message_id: '', progress: 100 }
    peer.accepted()
    ack?.(answer)
    peer.send(socketEvents.status, answer)
  }

  const cancel: Handle = async (payload, ack) => {
    const turnId = fieldsOf(payload)['turn_id']
    if (typeof turnId !== 'string') throw new CopilotError('invalid_request', 'ai_cancel needs a turn_id.', { details: { field: 'turn_id' } })
    const answer = { ok: true, message_id: '', turn_id: turnId, cancelled: await broker.cancel(caller, turnId.toLowerCase()) }
    peer.accepted()
    if (ack === null) peer.send(socketEvents.cancel, answer)
    else ack(answer)
  }

  const hello: Handle = async (_payload, ack) => {
    const answer = await greeting(peer, parts)
    peer.accepted()
    if (ack === null) peer.send(socketEvents.hello, answer)
    else ack(answer)
  }

  return {
    [socketEvents.stream]: stream,
    [socketEvents.chat]: chat,
    [socketEvents.status]: tellStatus,
    [socketEvents.cancel]: cancel,
    [socketEvents.hello]: hello
  }
}

/** What the service says of itself; over Socket.IO unasked, right after the connection. */
export async function greeting({ gone }: Pick<Peer, 'gone'>, { status, version }: GatewayParts): Promise<Record<string, unknown>> {
  return { protocol: PROTOCOL_VERSION, version, answered_by: answeredBy(await status(gone)) }
}

/** Throws `invalid_request` for what is not an object. */
export function fieldsOf(payload: unknown): Readonly<Record<string, unknown>> {
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload as Record<string, unknown>
  throw new CopilotError('invalid_request', 'The data of a message must be an object.')
}

/** A base client knows text and an end; a failure is an `error` event, and the end after it. */
function sayToBaseClient(peer: Peer, event: TurnEvent, messageId: string): void {
  const piece = (content: string, isFinal: boolean): void => peer.send(socketEvents.stream, { content, is_final: isFinal, message_id: messageId })
  if (event.type === 'delta') piece(event.text, false)
  else if (event.type === 'done') piece('', true)
  else if (event.type === 'status') {
    peer.send(socketEvents.status, { status: event.stage, message_id: messageId, progress: event.progress ?? 0 })
  } else if (event.type === 'failed') {
    const id = correlationId() ?? ''
    peer.send(socketEvents.error, toSocketError(CopilotError.fromWire(event.error), { correlationId: id, messageId }))
    piece('', true)
  }
}

/** The turn that a message is about, as far as it says so, for what it is told when it fails. */
export function turnIdIn(payload: unknown): { turnId?: string } {
  const id = typeof payload === 'object' && payload !== null && 'turn_id' in payload ? payload.turn_id : undefined
  return typeof id === 'string' ? { turnId: id.slice(0, 64) } : {}
}
