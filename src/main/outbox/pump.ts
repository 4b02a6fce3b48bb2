// Station 6 on the way of a question: takes accepted questions from the history to the link, in order per session.
import { CopilotError, toCopilotError, type WireError } from '../../shared/errors.ts'
import type { Message } from '../../shared/domain.ts'
import type { Clock, Random } from '../../shared/kit/clock.ts'
import { isTerminal, type Question } from '../../shared/turn.ts'
import type { Recorder } from '../ask/recorder.ts'
import { needsConfirmation } from '../history/delivery.ts'
import type { History, OutboxRow } from '../history/history.ts'
import type { Link } from '../link/link.ts'
import type { Log } from '../log.ts'
import { afterFailure, mayHaveBeenSent, onlyFetch, planOutbox, waitsForWord } from './outboxPolicy.ts'
import { createRests, STORE_TROUBLE_MS } from './rests.ts'
import { createTurnstile } from './turnstile.ts'

/** The longest sleep before the clock is looked at again: it may have been set, or the machine have slept. */
const LONGEST_SLEEP_MS = 60_000
/** How long the service may take to stop a turn. */
const STOP_PATIENCE_MS = 1_500

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
  /**
   * Ends a turn, wherever it stands: asks the service to stop it and, where it can't, stops listening; takes it out of the
   * line where it waits or has failed. One that has ended stays as it is.
   */
  stopTurn(turnId: string): Promise<void>
  /**
   * Runs what the person decided about a question while the pump leaves it alone. `work` gets its row.
   * @throws what `work` throws.
   */
  decide<T>(turnId: string, work: (row: OutboxRow | null) => Promise<T>): Promise<T>
  /** Nobody wants this turn any more: the service is told, if it may know of it and can be reached. */
  forget(row: OutboxRow): void
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
}

/** The history refused, not the service: nothing is to be concluded about the question. */
class StoreTrouble extends Error {
  override readonly name = 'StoreTrouble'
}

const stoppedHere = (): WireError => new CopilotError('cancelled', 'Stopped. What had arrived is kept.').toWire()

export function createPump(options: PumpOptions): Pump {
  const { history, link, recorder, clock, random, log, onMessage } = options
  const deliveries = new Map<string, Delivery>()
  const turnstile = createTurnstile()
  const rests = createRests(clock, random)
  /** Questions of which the windows know that they wait for the person's word. */
  const asked = new Set<string>()
  let wasOnline = false
  let stopping = false
  let pauses = 0
  const resting = (): boolean => stopping || pauses > 0
  let planning: Promise<void> | null = null
  let again = false
  let timer: NodeJS.Timeout | null = null

  const wakeIn = (ms: number): void => {
    if (timer !== null) clearTimeout(timer)
    timer = setTimeout(wake, Math.min(LONGEST_SLEEP_MS, Math.max(0, ms)))
  }

  async function plan(): Promise<void> {
    if (resting()) return
    // Before the rows: what ends while they are read may look open in them.
    const inFlight = new Set(deliveries.keys())
    const rows = await history.outbox()
    const online = link.status().state === 'online'
    if (online && !wasOnline) rests.linkIsBack()
    wasOnline = online
    for (const turnId of deliveries.keys()) inFlight.add(turnId)
    const now = clock.now()
    const { send, wakeAt } = planOutbox({ rows: rows.map((row) => rests.apply(row)), inFlight, online, now })
    if (wakeAt !== null) wakeIn(wakeAt - now)
    else if (rows.some(({ state }) => state === 'waiting')) wakeIn(LONGEST_SLEEP_MS)
    if (resting()) return
    for (const row of send) start(row.turnId)
    for (const row of rows) await tellThatItWaits(row, now)
  }

  /** Growing old is no change of a row: the windows would not hear of it. */
  async function tellThatItWaits(row: OutboxRow, now: number): Promise<void> {
    if (!needsConfirmation(row, now) || asked.has(row.turnId)) return
    asked.add(row.turnId)
    await tell(row)
  }

  async function tell({ messageId }: OutboxRow): Promise<void> {
    const message = await history.message(messageId)
    if (message !== null) onMessage(message)
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

  function start(turnId: string): void {
    if (deliveries.has(turnId)) return
    const { promise: ended, resolve: finish } = Promise.withResolvers<void>()
    const delivery: Delivery = { abort: new AbortController(), ended, stopped: false }
    deliveries.set(turnId, delivery)
    void deliver(turnId, delivery)
      .catch((error: unknown) => {
        log.error('outbox.deliver', { turnId, error })
        rests.troubled(turnId)
      })
      .finally(() => {
        deliveries.delete(turnId)
        finish()
        wake()
      })
  }

  /** Marks the question as being sent, unless the person decided otherwise meanwhile, or the clock did. */
  async function claim(turnId: string): Promise<{ row: OutboxRow; question: Question } | null> {
    const row = await history.outboxRow(turnId)
    if (row === null || (row.state !== 'waiting' && row.state !== 'sending') || waitsForWord(row, clock.now())) return null
    const question = await history.question(turnId).catch((error: unknown) => {
      // One that can't be read must not keep the others waiting.
      if (toCopilotError(error).code !== 'internal') throw error
      log.error('outbox.unreadable', { turnId, error })
      return null
    })
    if (question === null) {
      const error = new CopilotError('internal', 'This question can’t be read any more, so it was not sent. Ask it again.').toWire()
      onMessage(await history.changeOutbox(turnId, { state: 'failed', nextAttemptAt: null, error }))
      return null
    }
    const attempts = row.attempts + 1
    onMessage(await history.changeOutbox(turnId, { state: 'sending', attempts, nextAttemptAt: null, error: null }))
    return { row: { ...row, attempts }, question }
  }

  async function deliver(turnId: string, delivery: Delivery): Promise<void> {
    const claimed = await turnstile.alone(turnId, () => claim(turnId))
    if (claimed === null) return
    const { row, question } = claimed
    try {
      if (onlyFetch(row, clock.now()) && !(await link.knows(question, delivery.abort.signal))) return await askFirst(row)
      await stream(row, question, delivery)
      await tell(row)
    } catch (error) {
      if (error instanceof StoreTrouble) throw error.cause
      await recorder.flush(turnId)
      if (delivery.stopped) return void (await endHere(turnId, stoppedHere()))
      // Closing the app, or exchanging its history: the row stays `sending` and is resumed afterwards.
      if (resting()) return
      const failure = toCopilotError(error)
      if (failure.code === 'internal') log.error('outbox.bug', { turnId, error })
      await fail(row, failure)
    }
  }

  async function stream(row: OutboxRow, question: Question, delivery: Delivery): Promise<void> {
    const { turnId, lastSeq } = row
    for await (const event of link.ask(question, { signal: delivery.abort.signal, afterSeq: lastSeq })) {
      await recorder.record(event).catch((cause: unknown) => {
        throw new StoreTrouble('the history did not take an event', { cause })
      })
      rests.wellAgain(turnId)
      if (isTerminal(event)) return
    }
    throw new CopilotError('offline', 'The link ended before the answer did. It goes on when the link is back.')
  }

  async function letGo(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    for (const delivery of deliveries.values()) delivery.abort.abort()
    await Promise.all([...deliveries.values()].map((delivery) => delivery.ended))
    await planning
  }

  /** It was not sent in time, and is too old now to be sent unasked. */
  async function askFirst(row: OutboxRow): Promise<void> {
    asked.add(row.turnId)
    onMessage(await history.changeOutbox(row.turnId, { state: 'waiting', attempts: row.attempts - 1, nextAttemptAt: null, error: null }))
  }

  async function fail(row: OutboxRow, failure: CopilotError): Promise<void> {
    const change = afterFailure(row, failure, clock.now(), random)
    if (failure.code === 'offline') rests.cut(row.turnId)
    // An answer that nobody will go on with must not look as if it were still coming.
    if (change.state === 'failed' && (await endHere(row.turnId, failure.toWire()))) return await tell(row)
    onMessage(await history.changeOutbox(row.turnId, change))
  }

  /** Ends a turn of which something has arrived, with that; false when nothing has. */
  async function endHere(turnId: string, error: WireError): Promise<boolean> {
    const row = await history.outboxRow(turnId)
    if (row === null || (row.lastSeq === 0 && error.code !== 'cancelled')) return false
    await recorder.record({ turnId, seq: row.lastSeq + 1, at: clock.now(), type: 'failed', error })
    return true
  }

  const cancelAtService = (turnId: string): Promise<boolean> =>
    link.cancel(turnId, AbortSignal.timeout(STOP_PATIENCE_MS)).catch((error: unknown) => {
      log.warn('outbox.cancel', { turnId, error })
      return false
    })

  function forget(row: OutboxRow): void {
    if (mayHaveBeenSent(row) && link.status().state === 'online') void cancelAtService(row.turnId)
  }

  async function stopDelivery(turnId: string, delivery: Delivery): Promise<void> {
    delivery.stopped = true
    if (!(await cancelAtService(turnId))) delivery.abort.abort()
    // A service that promised to end the turn and then says nothing must not keep the person waiting.
    const patience = setTimeout(() => delivery.abort.abort(), STOP_PATIENCE_MS)
    await delivery.ended
    clearTimeout(patience)
  }

  /** Not on its way: taken out of the line; what had arrived of it before is kept as a stopped answer. */
  async function stopWaiting(row: OutboxRow | null): Promise<void> {
    if (row === null || row.state === 'settled' || row.state === 'cancelled') return
    forget(row)
    if (row.state !== 'failed' && row.lastSeq > 0) {
      await endHere(row.turnId, stoppedHere())
      return await tell(row)
    }
    onMessage(await history.changeOutbox(row.turnId, { state: 'cancelled', nextAttemptAt: null }))
  }

  const decide: Pump['decide'] = (turnId, work) =>
    turnstile.alone(turnId, async () => {
      const result = await work(await history.outboxRow(turnId))
      // What the person wants now waits for nothing that was before.
      rests.wellAgain(turnId)
      asked.delete(turnId)
      return result
    })

  return {
    wake,
    decide,
    forget,
    inFlight: () => new Set(deliveries.keys()),
    async stopTurn(turnId) {
      const delivery = deliveries.get(turnId)
      if (delivery) await stopDelivery(turnId, delivery)
      // Also after a delivery that broke off on its own just then: it may wait for its next attempt.
      await decide(turnId, stopWaiting)
      wake()
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
