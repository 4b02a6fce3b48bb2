// The broker as a door sees it, measured: how long a question takes to be kept, to its first text and to its end.
import { toCopilotError } from '../../shared/errors.ts'
import type { AskOptions, TurnEvent } from '../../shared/turn.ts'
import type { Logger } from '../logging.ts'
import { isBroken, type DialectMeter, type QuestionMeter } from '../metrics/metrics.ts'
import type { OpenOptions, OpenTurn, TurnBroker } from '../turns/broker.ts'
import { watched } from './watched.ts'

export function measured(broker: TurnBroker, meter: DialectMeter, logger: Logger): TurnBroker {
  const open = async (...[caller, question, options]: Parameters<TurnBroker['open']>): Promise<OpenTurn> => {
    // Taking up an old turn says nothing of how long an answer takes.
    if (isResumed(options)) return await broker.open(caller, question, options)
    const timed = told(meter, question.turnId, logger)
    try {
      const turn = await broker.open(caller, question, options)
      timed.kept()
      return { ...turn, events: (asked) => watch(turn.events(asked), timed, asked) }
    } catch (error) {
      timed.ended(toCopilotError(error).code)
      throw error
    }
  }
  return {
    open,
    async *ask(caller, question, options) {
      const turn = await open(caller, question, { resuming: (options.afterSeq ?? 0) > 0 })
      yield* turn.events(options)
    },
    cancel: (caller, turnId) => broker.cancel(caller, turnId),
    revive: () => broker.revive(),
    get liveTurns() {
      return broker.liveTurns
    },
    stop: (withinMs) => broker.stop(withinMs)
  }
}

function isResumed(options: OpenOptions | undefined): boolean {
  return options?.resuming === true
}

function watch(events: AsyncIterable<TurnEvent>, timed: QuestionMeter, { signal }: AskOptions): AsyncIterable<TurnEvent> {
  return watched(events, {
    seen(event) {
      if (event.type === 'delta') timed.text()
      else if (event.type === 'done') timed.ended('done')
      else if (event.type === 'failed') timed.ended(event.error.code)
    },
    // Whoever listened has stopped before the end, if nothing was told of one.
    ended: (ending) => timed.ended(ending.how === 'failed' && !signal.aborted ? toCopilotError(ending.error).code : 'cancelled')
  })
}

/** The end of a question is also in the log: what went wrong always, what went well for those who look closely. */
function told(meter: DialectMeter, turnId: string, logger: Logger): QuestionMeter {
  const timed = meter.question()
  let hasEnded = false
  return {
    ...timed,
    ended(outcome) {
      if (hasEnded) return
      hasEnded = true
      timed.ended(outcome)
      const fields = { turnId, dialect: meter.dialect, outcome }
      if (isBroken(outcome)) logger.warn(fields, 'turn.failed')
      else logger.debug(fields, 'turn.ended')
    }
  }
}
