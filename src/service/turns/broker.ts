// The turn broker: the one core under all dialects. A turn id is answered once however often it is sent; everybody who
// asks for it listens to the same numbered events, from wherever they left off.
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import type { Clock, NewId } from '../../shared/kit/clock.ts'
import type { AskOptions, Question, TurnEvent } from '../../shared/turn.ts'
import type { Agent, Delivery } from '../agent/agent.ts'
import type { Caller } from '../auth/caller.ts'
import type { Logger } from '../logging.ts'
import type { Bond } from '../store/bond.ts'
import { createBeat, pieceBeatMs, WHOLE_BEAT_MS } from './beat.ts'
import { replay } from './follow.ts'
import { isWithin } from './isWithin.ts'
import { createLiveTurn, type LiveTurn } from './liveTurn.ts'
import { createLoneOwnership, type TurnOwnership } from './ownership.ts'
import { runTurn } from './runTurn.ts'
import type { Accepted, LoggedTurn, TurnLog, TurnRecord } from './turnLog.ts'
import { canBeAskedAgain, faults, matches } from './turnPolicy.ts'

export interface OpenTurn {
  readonly turnId: string
  /** The assistant's message. */
  readonly messageId: string
  /** Ends after `done` or `failed`; throws `CopilotError` when the listener's signal is aborted or the service is lost. */
  events(options: AskOptions): AsyncIterable<TurnEvent>
}

export interface OpenOptions {
  /** Only a turn that is kept. */
  readonly resuming?: boolean
  /** How the one who opens it will hear the answer; `stream` when not said. Who comes later hears the same events. */
  readonly delivery?: Delivery
}

/** Who opens it: absent when the service itself takes up an old turn. */
interface Opening extends OpenOptions {
  readonly caller?: Caller
}

export interface TurnBroker {
  /**
   * Resolves when the question is durable. A known turn id attaches to its turn. Throws `conflict` (same id, another
   * question), `not_found` (another user's turn, or `resuming` one that is not kept), `unavailable`.
   */
  open(caller: Caller, question: Question, options?: OpenOptions): Promise<OpenTurn>
  /** `open` and listen, in the one shape of every station. */
  ask(caller: Caller, question: Question, options: AskOptions): AsyncIterable<TurnEvent>
  /** Ends the caller's turn for everybody who listens; false when there is no such unfinished turn. */
  cancel(caller: Caller, turnId: string): Promise<boolean>
  /**
   * After a start, and when another process has left turns behind: asks unfinished turns again that nobody answers, but ends those
   * that were being answered at too many ends of the service.
   */
  revive(): Promise<{ readonly restarted: number; readonly ended: number }>
  /** How many turns are being answered. */
  readonly liveTurns: number
  /** Takes no new turns, lets the live ones finish within `withinMs`, then leaves them for the next start. */
  stop(withinMs: number): Promise<void>
}

export interface Broker extends TurnBroker {
  /** Ends every turn of the user; resolves when nothing more is written for them. Throws `unavailable` when that takes too long. */
  endAllOf(userId: string): Promise<void>
}

export interface BrokerOptions {
  readonly log: TurnLog
  readonly agent: Agent
  readonly clock: Clock
  readonly newId: NewId
  readonly logger: Logger
  /** Asked before a turn is begun, not when one is joined; returns what ends its claim. Throws what the caller is told. */
  readonly admit?: (caller: Caller) => Promise<() => void>
  /** More new turns than this at once are refused with `unavailable`. */
  readonly mostTurns?: number
  /** Where the log is in one store with the ledger and the agent's memory: a turn's end is then one write with them. Absent: they come first. */
  readonly bonds?: () => Bond
  /** Who answers what, when there are several processes; absent: this one answers everything. */
  readonly ownership?: TurnOwnership
}

interface Running {
  readonly turn: LiveTurn
  readonly controller: AbortController
  readonly finished: Promise<void>
}

/**
 * Turns of one process that are opened or answered at once; a turn takes some 100 kB. Providers have a queue with a bound of its own; this
 * one also holds where the log is what is slow.
 */
const MOST_TURNS = 1_024
/** How long an answer may take to stop. */
const END_WITHIN_MS = 10_000

export function createBroker(options: BrokerOptions): Broker {
  const { log, agent, clock, newId, logger, admit, bonds, ownership = createLoneOwnership(options.log), mostTurns = MOST_TURNS } = options
  /** Turns that are being opened or answered; without an end in the log, one that another process answers. Set before the first wait, so two askers at once share one. */
  const entries = new Map<string, Promise<Running | LoggedTurn>>()
  const running = new Set<Running>()
  const beats = { stream: createBeat(() => pieceBeatMs(running.size)), whole: createBeat(() => WHOLE_BEAT_MS) }
  let stopping = false

  const start = (
    turn: LiveTurn,
    controller: AbortController,
    { past = [], delivery = 'stream', release }: { past?: readonly TurnEvent[]; delivery?: Delivery; release?: (() => void) | undefined }
  ): Running => {
    const finished = runTurn(turn, { controller, past, delivery, agent, logger, bonds, isStopping: () => stopping }).finally(() => {
      release?.()
      ownership.release(turn.record.turnId)
      running.delete(entry)
      entries.delete(turn.record.turnId)
    })
    const entry: Running = { turn, controller, finished }
    running.add(entry)
    return entry
  }

  /** What is claimed and then can't be answered is not kept from others. */
  const orLetGo = async <T>(turnId: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      ownership.release(turnId)
      throw error
    }
  }

  const resume = async (known: LoggedTurn): Promise<Running> => {
    const past = await log.read(known.turnId, 0)
    const controller = new AbortController()
    const turn = createLiveTurn(known, { log, clock, past, beat: beats.stream, onLost: () => controller.abort(faults.unheard()) })
    if (canBeAskedAgain(past)) {
      if (past.length === 0) turn.emit({ type: 'accepted', messageId: known.messageId })
      else turn.emit({ type: 'notice', kind: 'resumed', text: 'The service was restarted; the question was asked again.' })
      await agent.receive(known)
      return start(turn, controller, { past })
    }
    turn.emit({ type: 'failed', error: faults.interrupted().toWire() })
    await turn.settled()
    ownership.release(known.turnId)
    return { turn, controller, finished: Promise.resolve() }
  }

  const begin = async (userId: string, question: Question, { resuming, delivery = 'stream', caller }: Opening): Promise<Running | LoggedTurn> => {
    const known = await log.find(question.turnId)
    if (known !== null) return known.ended || !(await ownership.claim(known.turnId)) ? known : await orLetGo(known.turnId, () => resume(known))
    if (resuming) throw faults.notKept()
    if (stopping) throw faults.stopping()
    if (entries.size > mostTurns) throw faults.busy()
    const release = caller === undefined ? undefined : await admit?.(caller)
    const record: TurnRecord = { turnId: question.turnId, userId, messageId: newId(), question, createdAt: clock.now() }
    const { turnId, messageId, createdAt: at } = record
    const isWhole = delivery === 'whole'
    const accepted: Accepted = { type: 'accepted', messageId, turnId, seq: 1, at }
    // Who reads along is told of it at once; who waits for the whole has it with the rest. Asked for in the same tick, both are in the
    // same commit.
    const opening = isWhole ? log.open(record) : log.open(record, accepted)
    const opened = Promise.all([opening.then(onlyIfNew), agent.receive(record)])
    const controller = new AbortController()
    const onLost = (): void => controller.abort(faults.unheard())
    const turn = createLiveTurn(record, { log, clock, past: isWhole ? [] : [accepted], beat: beats[delivery], isWhole, opened, onLost })
    if (isWhole) turn.emit({ type: 'accepted', messageId })
    let entry: Running | null = null
    try {
      // The answer is begun while the disk is busy with the question; nobody hears of it before the question is durable. Where
      // another process may have been asked for it too, only the one that opens it begins.
      if (ownership.isShared) await opened
      entry = start(turn, controller, { delivery, release })
      await opened
      return entry
    } catch (error) {
      turn.abandon(toCopilotError(error))
      controller.abort(faults.cancelled())
      // Until then the same turn id can't be opened again: two runs of one turn would share its place.
      if (entry === null) release?.()
      else await entry.finished
      const isNew = await opening.catch(() => true)
      if (!isNew) return await begin(userId, question, { resuming: true })
      ownership.release(record.turnId)
      throw error
    }
  }

  const enter = (userId: string, question: Question, opening: Opening): Promise<Running | LoggedTurn> => {
    const { turnId } = question
    const present = entries.get(turnId)
    if (present !== undefined) return present
    const entry = begin(userId, question, opening)
    entries.set(turnId, entry)
    const leave = (): void => {
      if (entries.get(turnId) === entry) entries.delete(turnId)
    }
    void entry.then((result) => ('turn' in result && running.has(result) ? undefined : leave()), leave)
    return entry
  }

  /** How to listen to what was opened. */
  const listen = (entry: Running | LoggedTurn, options: AskOptions): AsyncIterable<TurnEvent> => {
    if ('turn' in entry) return entry.turn.events(options)
    return entry.ended ? replay(entry, options, log) : ownership.follow(entry, options)
  }

  const open: TurnBroker['open'] = async (caller, question, options = {}) => {
    const entry = await enter(caller.userId, question, { ...options, caller })
    const record = 'turn' in entry ? entry.turn.record : entry
    if (record.userId !== caller.userId) throw faults.notKept()
    if (!matches(record.question, question)) throw faults.otherQuestion()
    return {
      turnId: record.turnId,
      messageId: record.messageId,
      events: (options) => listen(entry, options)
    }
  }

  const cancelRunning = async ({ turn, controller }: Running): Promise<boolean> => {
    if (turn.ended) return false
    turn.emit({ type: 'failed', error: faults.cancelled().toWire() })
    controller.abort(faults.cancelled())
    await turn.settled()
    return true
  }

  const endTurn = async (userId: string, turnId: string, letGo: boolean): Promise<boolean> => {
    const entry = await entries.get(turnId)?.catch(() => undefined)
    if (entry !== undefined && 'turn' in entry) return entry.turn.record.userId === userId && (await cancelRunning(entry))
    const known = await log.find(turnId)
    if (known === null || known.ended || known.userId !== userId) return false
    if (!(await ownership.claim(turnId))) return await ownership.end(known, { letGo })
    // Left unfinished by a store that refused: there is nobody to stop, only an end to write.
    return await orLetGo(turnId, async () => {
      const turn = createLiveTurn(known, { log, clock, past: await log.read(turnId, 0), beat: beats.stream })
      const isCancelled = await cancelRunning({ turn, controller: new AbortController(), finished: Promise.resolve() })
      ownership.release(turnId)
      return isCancelled
    })
  }

  /** Lets turns be as they are in the log, for the next start or another process. */
  const leave = async (left: readonly Running[]): Promise<void> => {
    for (const { turn, controller } of left) {
      turn.abandon(faults.stopping())
      controller.abort(new CopilotError('unavailable', 'The service is stopping.'))
    }
    await Promise.all(left.map(({ turn }) => turn.settled()))
    for (const { turn } of left) ownership.release(turn.record.turnId)
  }

  return {
    open,
    cancel: (caller, turnId) => endTurn(caller.userId, turnId, false),
    async endAllOf(userId) {
      const own = [...running].filter(({ turn }) => turn.record.userId === userId)
      const unfinished = (await log.unfinished()).filter((turn) => turn.userId === userId)
      for (const turnId of new Set([...own.map(({ turn }) => turn.record.turnId), ...unfinished.map((turn) => turn.turnId)])) {
        await endTurn(userId, turnId, true)
      }
      // An agent that was stopped still writes down what was read of its answer.
      if (!(await isWithin(Promise.all(own.map(({ finished }) => finished)), END_WITHIN_MS))) throw faults.stillAnswering()
    },
    async *ask(caller, question, options) {
      const turn = await open(caller, question, { resuming: (options.afterSeq ?? 0) > 0 })
      yield* turn.events(options)
    },
    async revive() {
      const counts = { restarted: 0, ended: 0 }
      const failures: unknown[] = []
      for (const known of await ownership.orphans()) {
        try {
          const entry = await enter(known.userId, known.question, { resuming: true })
          // Another process was quicker.
          if (!('turn' in entry)) continue
          if (running.has(entry)) counts.restarted += 1
          else counts.ended += 1
        } catch (error) {
          // The others don't wait for one that can't be taken up.
          failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
      return counts
    },
    get liveTurns() {
      return running.size
    },
    async stop(withinMs) {
      stopping = true
      ownership.handOver()
      // Another process can begin at once what nobody has read a word of.
      if (ownership.isShared) await leave([...running].filter(({ turn }) => !turn.hasText))
      await isWithin(Promise.all([...running].map(({ finished }) => finished)), withinMs)
      await leave([...running])
    }
  }
}

/** Asked for at the same moment, another process may have been quicker. */
function onlyIfNew(isNew: boolean): void {
  if (!isNew) throw faults.takenOver()
}
