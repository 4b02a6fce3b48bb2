// The broker as the doors see it: every message that asks something counts against its sender's rate before anything is looked up.
import type { Channel, Limits } from '../limits/limits.ts'
import type { TurnBroker } from '../turns/broker.ts'

export function limited(broker: TurnBroker, limits: Limits, channel: Channel): TurnBroker {
  return {
    async open(caller, question, options) {
      await limits.message(caller, channel)
      return await broker.open(caller, question, options)
    },
    async *ask(caller, question, options) {
      await limits.message(caller, channel)
      yield* broker.ask(caller, question, options)
    },
    cancel: (caller, turnId) => broker.cancel(caller, turnId),
    revive: () => broker.revive(),
    get liveTurns() {
      return broker.liveTurns
    },
    stop: (withinMs) => broker.stop(withinMs)
  }
}
