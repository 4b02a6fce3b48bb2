// One turn while it is being answered: numbers its events, writes them to the log, and only then shows them to listeners.
import { toCopilotError, type CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { isTerminal, type AskOptions, type TurnEvent, type TurnEventBody } from '../../shared/turn.ts'
import type { Bond } from '../store/bond.ts'
import type { Beat } from './beat.ts'
import type { TurnLog, TurnRecord } from './turnLog.ts'
import { faults } from './turnPolicy.ts'
import { createWake } from './wake.ts'
import { createWholeText } from './wholeText.ts'

export interface LiveTurn {
  readonly record: TurnRecord
  /** True once the last event has been emitted; it may not be durable yet. */
  readonly ended: boolean
  /** Whether any text of the answer is in the log. */
  readonly hasText: boolean
  /**
   * Gives the event the next number, or joins text to text that still waits to be written; dropped after the end. With a bond, an end is asked of the log at once, with all before it, where
   * the turn is in the log: in one commit with the other writes of the bond, or not at all.
   */
  emit(body: TurnEventBody, bond?: Bond): void
  /** Ends every listener with this error and writes nothing more: the turn stays unfinished in the log. */
  abandon(error: CopilotError): void
  /** Resolves when all that was emitted is durable, or the turn was abandoned. */
  settled(): Promise<void>
  /** Every durable event after `afterSeq`, then the new ones as they become durable. Any number of listeners, each at its own pace. */
  events(options: AskOptions): AsyncIterable<TurnEvent>
}

export interface LiveTurnOptions {
  readonly log: TurnLog
  readonly clock: Clock
  /** What the log already holds of the turn. */
  readonly past: readonly TurnEvent[]
  /** What is emitted waits for it, so that the log is written less often; but for what presses. */
  readonly beat: Beat
  /** Nobody reads along: nothing but the end presses. Absent: false. */
  readonly isWhole?: boolean
  /** Called when the log refuses: nobody hears what is emitted after that. */
  readonly onLost?: () => void
  /**
   * Resolves when the turn is in the log with its `past`; absent: it is. Nothing is written before, and nothing at all when it rejects.
   * Nobody may listen before.
   */
  readonly opened?: Promise<unknown>
}

/** Pieces that wait together become one up to this, in characters: no reader is to take half a book in one message. */
const LONGEST_JOINED = 8_192

export function createLiveTurn(record: TurnRecord, { log, clock, past, beat, isWhole = false, opened, onLost }: LiveTurnOptions): LiveTurn {
  /** What is in the log. Listeners keep a position in it, so a slow one costs no memory. */
  const durable: TurnEvent[] = [...past]
  let pending: TurnEvent[] = []
  let lastSeq = past.length
  let ended = past.some(isTerminal)
  let lost: CopilotError | null = null
  let writing: Promise<void> | null = null
  /** Whether its first event, or that it goes on, has been told. */
  let isBegun = opened !== undefined && past.length > 0
  let hasWrittenText = past.some((event) => event.type === 'delta')
  let isOpen = opened === undefined
  let endBond: Bond | undefined
  /** An end with a bond, on its way into the log. What was asked of the log before gets there before. */
  let ending: { readonly batch: readonly TurnEvent[]; readonly written: Promise<void> } | null = null
  /** Ends the wait for more. */
  let hurry: (() => void) | null = null
  const wakers = new Set<() => void>()
  const whole = createWholeText()

  const wake = (): void => {
    for (const waker of wakers) waker()
  }

  const write = async (): Promise<void> => {
    // What is emitted within the same tick goes into the same commit.
    try {
      await opened
      isOpen = true
    } catch (error) {
      lost ??= toCopilotError(error)
      wake()
    }
    for (;;) {
      if (ending !== null) {
        await keep(ending.batch, ending.written)
        ending = null
      }
      if (pending.length === 0 || lost !== null) break
      if (!isPressing()) await moreToCome()
      // Abandoned meanwhile, or all of it went with an end.
      if (pending.length === 0 || lost !== null) continue
      const batch = pending
      pending = []
      await keep(batch, log.append(record.turnId, batch, ended ? endBond : undefined))
    }
    writing = null
  }

  const keep = async (batch: readonly TurnEvent[], written: Promise<void>): Promise<void> => {
    try {
      await written
      durable.push(...batch)
      isBegun = true
      hasWrittenText ||= batch.some((event) => event.type === 'delta')
    } catch (error) {
      lost ??= toCopilotError(error)
      onLost?.()
    }
    wake()
  }

  /** The end; and for one who reads along what begins the turn, or tells that it has begun again, and the first text. */
  const isPressing = (): boolean => {
    if (ended || isWhole) return ended
    return !isBegun || (!hasWrittenText && pending.some(({ type }) => type === 'delta'))
  }

  /** Until something presses, or to the next beat. */
  const moreToCome = (): Promise<void> =>
    new Promise((resolve) => {
      const go = (): void => {
        endWait()
        hurry = null
        resolve()
      }
      const endWait = beat.next(go)
      hurry = go
    })

  const number = (body: TurnEventBody, bond?: Bond): void => {
    const last = pending.at(-1)
    if (body.type === 'delta' && last?.type === 'delta' && last.text.length < LONGEST_JOINED) {
      // Both leave together, and one event costs the log, the wires and their readers half as much as two.
      pending[pending.length - 1] = { ...last, text: last.text + body.text }
      return
    }
    lastSeq += 1
    const event = { ...body, turnId: record.turnId, seq: lastSeq, at: clock.now() }
    ended = isTerminal(event)
    pending.push(event)
    endBond = bond
    if (bond !== undefined && isOpen) {
      ending = { batch: pending, written: log.append(record.turnId, pending, bond) }
      // Awaited when it is its turn; until then its failure is not unhandled.
      ending.written.catch(() => undefined)
      pending = []
    }
    writing ??= write()
    if (hurry !== null && isPressing()) hurry()
  }

  return {
    record,
    get ended() {
      return ended
    },
    get hasText() {
      return hasWrittenText
    },
    emit(body, bond) {
      if (ended || lost !== null) return
      if (body.type === 'done' || body.type === 'failed') {
        const rest = whole.end()
        if (rest !== '') number({ type: 'delta', text: rest })
        number(body, bond)
      } else if (body.type === 'delta') {
        const text = whole.next(body.text)
        if (text !== '') number({ ...body, text })
      } else {
        number(body)
      }
    },
    abandon(error) {
      lost ??= error
      hurry?.()
      wake()
    },
    async settled() {
      await writing
    },
    async *events({ signal, afterSeq = 0 }) {
      let position = afterSeq
      const bell = createWake()
      wakers.add(bell.ring)
      signal.addEventListener('abort', bell.ring)
      try {
        for (;;) {
          if (signal.aborted) throw faults.left()
          const event = durable[position]
          if (event !== undefined) {
            position += 1
            yield event
            if (isTerminal(event)) return
          } else if (lost !== null) {
            throw lost
          } else if (ended && position >= lastSeq) {
            return
          } else {
            await bell.rung()
          }
        }
      } finally {
        wakers.delete(bell.ring)
        signal.removeEventListener('abort', bell.ring)
      }
    }
  }
}
