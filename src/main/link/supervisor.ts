// The link over all its transports: station 7 on the way of a question. A turn that loses its transport goes on over
// another one after the last event it got, so that no character is repeated or missing.
import { toCopilotError, type CopilotError, type WireError } from '../../shared/errors.ts'
import type { Clock, Random } from '../../shared/kit/clock.ts'
import { isTerminal, type AskOptions, type Question, type TurnEvent } from '../../shared/turn.ts'
import { abortable, stopped, throwIfStopped } from './abort.ts'
import { createEventCleaner } from './answerText.ts'
import type { Link, ServiceAddress, Transport } from './link.ts'
import { admit, afterFailure, cutError, mayAsk } from './linkPolicy.ts'
import { createReach, type ReachOptions } from './reach.ts'
import type { Timers } from './timers.ts'
import { offline, unreadable } from './wireErrors.ts'

export interface SupervisorOptions {
  /** In order of preference: gRPC, then Socket.IO. Owned from here on: stopped with the link. */
  readonly transports: readonly Transport[]
  readonly address: ServiceAddress
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  /** Other waits than the product's, for tests that can't wait that long. */
  readonly pace?: Partial<Pace>
}

/** How soon the link looks again, and for how long. */
type Pace = Pick<ReachOptions, 'heartbeatMs' | 'activeHeartbeatMs' | 'helloLimitMs' | 'backoff'>

const PACE: Pace = {
  heartbeatMs: 20_000,
  // Who waits for an answer in a meeting shall not wait long for a network that silently swallows everything.
  activeHeartbeatMs: 5_000,
  // Socket.IO may have to try both its carriers.
  helloLimitMs: { grpc: 5_000, socket: 12_000 },
  backoff: { baseMs: 1_000, capMs: 30_000 }
}

/** Connects at once and keeps the connection; `stop` ends it, and turns under way are then rejected with `offline`. */
export function createSupervisor(options: SupervisorOptions): Link {
  const { address, clock } = options
  const ended = new AbortController()
  const reach = createReach({ ...options, ...PACE, ...options.pace })

  /** Grows with every token that was fetched because one was refused. */
  let renewals = 0
  let renewing: Promise<unknown> | null = null
  /** One refresh for all turns that were refused with the same token. @param known `renewals` when the refused attempt began. */
  async function renew(known: number, signal: AbortSignal): Promise<void> {
    if (renewing === null && renewals > known) return
    renewing ??= address
      .token({ refresh: true, signal: ended.signal })
      .then(() => (renewals += 1))
      .finally(() => (renewing = null))
    await abortable(renewing, signal)
  }

  /** A sign-in that is no good for one question is none for the next: the way is looked at again, and says why it is shut. */
  function noteRefusal(station: Awaited<ReturnType<typeof reach.current>>, failure: CopilotError): void {
    if (failure.code === 'unauthenticated') reach.lose(station)
  }

  async function* ask(question: Question, { signal, afterSeq = 0 }: AskOptions): AsyncGenerator<TurnEvent> {
    const clean = createEventCleaner()
    let cursor = afterSeq
    let refreshed = false
    let fruitless = 0
    const endWith = (error: WireError): TurnEvent => ({ type: 'failed', error, turnId: question.turnId, seq: cursor + 1, at: clock.now() })

    for (;;) {
      throwIfStopped(signal)
      const station = await reach.current(signal)
      if (!mayAsk({ protocol: station.transport.protocol(), cursor })) {
        yield endWith(cutError())
        return
      }
      const known = renewals
      const leave = reach.enter(station)
      let failure: CopilotError
      try {
        for await (const event of station.transport.ask(question, { signal, afterSeq: cursor })) {
          reach.heard()
          const admission = admit(question.turnId, cursor, event)
          if (admission === 'repeated') continue
          if (admission === 'stray') throw unreadable(new Error('an event of another turn'))
          if (admission === 'gap') throw offline(new Error(`event ${event.seq} came after ${cursor}`))
          cursor = event.seq
          fruitless = 0
          // A long answer may outlive more than one token.
          refreshed = false
          yield clean(event)
          if (isTerminal(event)) return
        }
        failure = offline(new Error('the stream ended before the turn did'))
      } catch (error) {
        failure = toCopilotError(error)
      } finally {
        leave()
      }
      if (signal.aborted) throw stopped(signal)
      const next = afterFailure(failure, { protocol: station.transport.protocol(), cursor, refreshed, fruitless })
      if (failure.code === 'offline') reach.lose(station)
      switch (next.do) {
        case 'refresh':
          refreshed = true
          await renew(known, signal).catch((error: unknown) => {
            noteRefusal(station, toCopilotError(error))
            throw error
          })
          break
        case 'resume':
          fruitless += 1
          break
        case 'end':
          yield endWith(next.error)
          return
        case 'reject':
          noteRefusal(station, failure)
          throw next.error
      }
    }
  }

  /** Asks for what comes after the first event: a service that does not have the turn says so instead of answering it. */
  async function knows(question: Question, signal: AbortSignal, isSecond = false): Promise<boolean> {
    const station = await reach.current(signal)
    if (station.transport.protocol() === 0) return false
    const known = renewals
    const leave = reach.enter(station)
    try {
      for await (const event of station.transport.ask(question, { signal, afterSeq: 1 })) return event.turnId === question.turnId
      throw offline(new Error('the stream ended before the turn did'))
    } catch (error) {
      const failure = toCopilotError(error)
      if (failure.code === 'not_found') return false
      if (failure.code === 'offline') reach.lose(station)
      if (failure.code !== 'unauthenticated' || isSecond) throw failure
    } finally {
      leave()
    }
    await renew(known, signal)
    return knows(question, signal, true)
  }

  return {
    ask,
    knows: (question, signal) => knows(question, signal),
    async cancel(turnId, signal) {
      const { transport } = await reach.current(signal)
      return transport.cancel(turnId, signal)
    },
    status: () => reach.status(),
    onStatus: (listener) => reach.onStatus(listener),
    recheck: () => reach.recheck(),
    stop() {
      ended.abort()
      return reach.stop()
    }
  }
}
