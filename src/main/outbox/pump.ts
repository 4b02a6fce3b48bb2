// Station 6 on the way of a question: takes accepted questions from the history to the link, in order per session.
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import type { Message } from '../../shared/domain.ts'
import type { Clock, Random } from '../../shared/kit/clock.ts'
import { isTerminal } from '../../shared/turn.ts'
import type { Recorder } from '../ask/recorder.ts'
import type { History, OutboxRow } from '../history/history.ts'
import type { Link } from '../link/link.ts'
import type { Log } from '../log.ts'
import { afterFailure, planOutbox } from './outboxPolicy.ts'

/** Wait after the history itself could not be read or written (a full disk): the question is safe, the disk needs time. */
const STORE_TROUBLE_MS = 2_000

export interface PumpOptions {
  readonly history: History
  readonly link: Link
  readonly recorder: Recorder
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** A user message whose delivery changed. */
  readonly onMessage: (message: Message) => void
}

export interface Pump {
  /** Look again: a question was accepted, the link changed, the person decided. */
  wake(): void
  /** Ends the delivery of a turn: asks the service to stop it and, where it can't, stops listening. False: not in flight. */
  stopTurn(turnId: string): Promise<boolean>
  inFlight(): ReadonlySet<string>
  /** Lets go of the streams as at an end, while the history is exchanged; the answer lets them begin again. */
  pause(): Promise<() => void>
  /** Lets go of the streams; what arrived is stored, what did not is resumed at the next start. */
  stop(): Promise<void>
}

interface Delivery {
  readonly abort: AbortController
  readonly ended: Promise<void>
  stopped: boolean
  lastSeq: number
}

export function createPump(options: PumpOptions): Pump {
  const { history, link, recorder, clock, random, log, onMessage } = options
  const deliveries = new Map<string, Delivery>()
  let stopping = false
  let pauses = 0
  const resting = (): boolean => stopping || pauses > 0
  let planning: Promise<void> | null = null
  let again = false
  let timer: NodeJS.Timeout | null = null

  const wakeIn = (ms: number): void => {
    if (timer !== null) clearTimeout(timer)
    timer = setTimeout(wake, Math.max(0, ms))
  }

  async function plan(): Promise<void> {
    if (resting()) return
    const rows = await history.outbox()
    const { send, wakeAt } = planOutbox({
      rows,
      inFlight: new Set(deliveries.keys()),
      online: link.status().state === 'online',
      now: clock.now()
    })
    if (wakeAt !== null) wakeIn(wakeAt - clock.now())
    if (resting()) return
    for (const row of send) start(row)
  }

  function wake(): void {
    if (resting()) return
    if (planning !== null) {
      again = true
      return
    }
    planning = plan()
      .catch((error: unknown) => {
        log.error('outbox.plan', { error })
        wakeIn(STORE_TROUBLE_MS)
      })
      .finally(() => {
        planning = null
        if (again) {
          again = false
          wake()
        }
      })
  }

  function start(row: OutboxRow): void {
    if (deliveries.has(row.turnId)) return
    const abort = new AbortController()
    let finish: () => void = () => undefined
    const ended = new Promise<void>((resolve) => {
      finish = resolve
    })
    const delivery: Delivery = { abort, ended, stopped: false, lastSeq: row.lastSeq }
    deliveries.set(row.turnId, delivery)
    void deliver(row, delivery)
      .catch((error: unknown) => {
        log.error('outbox.deliver', { turnId: row.turnId, error })
        wakeIn(STORE_TROUBLE_MS)
      })
      .finally(() => {
        deliveries.delete(row.turnId)
        finish()
        wake()
      })
  }

  async function deliver(row: OutboxRow, delivery: Delivery): Promise<void> {
    const question = await history.question(row.turnId)
    if (question === null) throw new CopilotError('not_found', 'A waiting question has no text any more.')
    const attempts = row.attempts + 1
    onMessage(await history.changeOutbox(row.turnId, { state: 'sending', attempts, nextAttemptAt: null, error: null }))
    try {
      for await (const event of link.ask(question, { signal: delivery.abort.signal, afterSeq: row.lastSeq })) {
        await recorder.record(event)
        delivery.lastSeq = event.seq
        if (isTerminal(event)) {
          const message = await history.message(row.messageId)
          if (message !== null) onMessage(message)
          return
        }
      }
      throw new CopilotError('offline', 'The link ended before the answer did. It goes on when the link is back.')
    } catch (error) {
      await recorder.flush(row.turnId)
      if (delivery.stopped) return await endHere(row.turnId, delivery)
      // Closing the app, or exchanging its history: the row stays `sending` and is resumed afterwards.
      if (resting()) return
      const failure = toCopilotError(error)
      if (failure.code === 'internal') log.error('outbox.bug', { turnId: row.turnId, error })
      onMessage(await history.changeOutbox(row.turnId, afterFailure({ ...row, attempts }, failure, clock.now(), random)))
    }
  }

  async function letGo(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    for (const delivery of deliveries.values()) delivery.abort.abort()
    await Promise.all([...deliveries.values()].map((delivery) => delivery.ended))
    await planning
  }

  /** The person stopped a turn that the service could not end: it ends here, with what has arrived. */
  async function endHere(turnId: string, delivery: Delivery): Promise<void> {
    const error = new CopilotError('cancelled', 'Stopped. What had arrived is kept.').toWire()
    await recorder.record({ turnId, seq: delivery.lastSeq + 1, at: clock.now(), type: 'failed', error })
  }

  return {
    wake,
    inFlight: () => new Set(deliveries.keys()),
    async stopTurn(turnId) {
      const delivery = deliveries.get(turnId)
      if (!delivery) return false
      delivery.stopped = true
      const ended = await link.cancel(turnId, AbortSignal.timeout(1_500)).catch((error: unknown) => {
        log.warn('outbox.cancel', { turnId, error })
        return false
      })
      if (!ended) delivery.abort.abort()
      // A service that promised to end the turn and then says nothing must not keep the person waiting.
      const patience = setTimeout(() => delivery.abort.abort(), 1_500)
      await delivery.ended
      clearTimeout(patience)
      return true
    },
    async pause() {
      pauses += 1
      await letGo()
      let ended = false
      return () => {
        if (ended) return
        ended = true
        pauses -= 1
        wake()
      }
    },
    async stop() {
      stopping = true
      await letGo()
    }
  }
}
