// The turn log in memory: for tests, and for a service that is told to keep nothing.
import type { TurnEvent } from '../../shared/turn.ts'
import { afterAppend, type LoggedTurn, type TurnLog } from './turnLog.ts'

export function createMemoryTurnLog(): TurnLog {
  const turns = new Map<string, { turn: LoggedTurn; events: TurnEvent[] }>()
  return {
    find: (turnId) => Promise.resolve(turns.get(turnId)?.turn ?? null),
    open: async (record, accepted) => {
      if (turns.has(record.turnId)) return false
      const events = accepted === undefined ? [] : [accepted]
      turns.set(record.turnId, { turn: { ...record, lastSeq: events.length, hasText: false, ended: false }, events })
      return true
    },
    append: async (turnId, events) => {
      const kept = turns.get(turnId)
      if (kept === undefined) throw new RangeError(`turn ${turnId} is not in the log`)
      kept.turn = { ...kept.turn, ...afterAppend(kept.turn, events) }
      kept.events.push(...events)
    },
    read: (turnId, afterSeq) => Promise.resolve(turns.get(turnId)?.events.slice(afterSeq) ?? []),
    unfinished: () =>
      Promise.resolve(
        [...turns.values()]
          .map((kept) => kept.turn)
          .filter((turn) => !turn.ended)
          .sort((a, b) => a.createdAt - b.createdAt)
      ),
    prune(before) {
      const old = [...turns.values()].filter(({ turn }) => turn.createdAt < before)
      for (const { turn } of old) turns.delete(turn.turnId)
      return Promise.resolve(old.length)
    }
  }
}
