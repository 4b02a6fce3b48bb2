// Whether one question was answered as it must be: kept before it is answered, numbers without a gap, every byte of the text as
// the upstream said it, exactly one end. The same for every client of npm run load.
import type { AiAck, AiStreamPiece } from '../../src/shared/wire/socket.ts'

export interface TurnCheck {
  readonly turnId: string
  /** Milliseconds since the run began when the question was due, not when it could be sent. */
  readonly dueAt: number
  /** Of the answer's text. */
  readonly pieces: number
  /** It has ended, or something is wrong with it. */
  readonly isOver: boolean
  readonly fault: string | null
  /** Every call returns what is wrong now for the first time; null: nothing. */
  accepted(ack: unknown): string | null
  piece(piece: AiStreamPiece): string | null
  /** An error event, or the end of the connection. */
  failed(reason: string): string | null
}

export interface TurnCheckOptions {
  readonly turnId: string
  readonly dueAt: number
  /** The whole answer. */
  readonly expected: string
}

export function createTurnCheck({ turnId, dueAt, expected }: TurnCheckOptions): TurnCheck {
  let isAccepted = false
  let fault: string | null = null
  let lastSeq = 0
  let position = 0
  let pieces = 0
  let ended = false

  const find = (problem: string): string | null => {
    if (fault !== null) return null
    fault = problem
    return problem
  }
  const text = (said: string): string | null => {
    if (!expected.startsWith(said, position)) return find(`says ${JSON.stringify(said)} where ${JSON.stringify(expected.slice(position))} is left`)
    position += said.length
    pieces += 1
    return null
  }
  return {
    turnId,
    dueAt,
    get pieces() {
      return pieces
    },
    get isOver() {
      return ended || fault !== null
    },
    get fault() {
      return fault
    },
    accepted(ack) {
      const told = ack as Partial<AiAck> & { turn_id?: string }
      if (told.ok !== true) return find(`refused: ${JSON.stringify(ack)}`)
      if (told.turn_id !== turnId) return find(`acknowledged as ${told.turn_id}`)
      if (isAccepted) return find('acknowledged twice')
      isAccepted = true
      return null
    },
    piece({ content, is_final: isFinal, turn_id: told, event }) {
      if (!isAccepted) return find('answered before it was acknowledged')
      if (ended) return find('goes on after its end')
      if (event === undefined || told !== turnId || event.turnId !== turnId) return find('a piece of nobody')
      if (event.seq !== lastSeq + 1) return find(`event ${event.seq} after ${lastSeq}`)
      lastSeq = event.seq
      if (isFinal !== (event.type === 'done' || event.type === 'failed')) return find(`is_final is ${isFinal} of ${event.type}`)
      if (content !== (event.type === 'delta' ? event.text : '')) return find('content and event differ')
      if (event.type === 'delta') return text(event.text)
      if (event.type === 'failed') {
        ended = true
        return find(`failed: ${event.error.code}, ${event.error.message}`)
      }
      if (event.type !== 'done') return null
      ended = true
      return position === expected.length ? null : find(`ended ${expected.length - position} characters too early`)
    },
    failed: (reason) => find(reason)
  }
}
