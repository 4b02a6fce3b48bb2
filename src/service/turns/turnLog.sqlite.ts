// The turn log in the service's own store: one row for what one commit brought of a turn.
import { z } from 'zod'
import { isTerminal, questionSchema, turnEventSchema, type TurnEvent } from '../../shared/turn.ts'
import type { Store } from '../store/store.ts'
import { afterAppend, type LoggedTurn, type TurnLog, type TurnProgress } from './turnLog.ts'

interface TurnRow {
  turn_id: string
  user_id: string
  session_id: string
  message_id: string
  question: string
  created_at: number
  last_seq: number
  has_text: number
  ended_at: number | null
}

const eventsSchema = z.array(turnEventSchema)

function fromRow(row: TurnRow): LoggedTurn {
  return {
    userId: row.user_id,
    messageId: row.message_id,
    question: questionSchema.parse(JSON.parse(row.question)),
    createdAt: row.created_at,
    ...progressOf(row)
  }
}

function progressOf(row: TurnRow): TurnProgress {
  return { turnId: row.turn_id, lastSeq: row.last_seq, hasText: row.has_text === 1, ended: row.ended_at !== null }
}

export function createSqliteTurnLog({ database, writer }: Pick<Store, 'database' | 'writer'>): TurnLog {
  const select = database.prepare<[string], TurnRow>('SELECT * FROM turn WHERE turn_id = ?')
  const insert = database.prepare<[string, string, string, string, string, number]>(
    `INSERT INTO turn (turn_id, user_id, session_id, message_id, question, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
  )
  const advance = database.prepare<[number, number, number | null, string, number]>(
    'UPDATE turn SET last_seq = ?, has_text = max(has_text, ?), ended_at = ? WHERE turn_id = ? AND last_seq = ? AND ended_at IS NULL'
  )
  const insertEvents = database.prepare<[string, number, number, string]>(
    'INSERT INTO turn_events (turn_id, first_seq, last_seq, events) VALUES (?, ?, ?, ?)'
  )
  const selectEvents = database.prepare<[string, number], { events: string }>(
    'SELECT events FROM turn_events WHERE turn_id = ? AND last_seq > ? ORDER BY first_seq'
  )
  const selectUnfinished = database.prepare<[], TurnRow>('SELECT * FROM turn WHERE ended_at IS NULL ORDER BY created_at, turn_id')
  const remove = database.prepare<[number]>('DELETE FROM turn WHERE created_at < ?')

  const append = (turnId: string, events: readonly TurnEvent[]): void => {
    const first = events[0]
    const last = events.at(-1)
    if (first === undefined || last === undefined) return
    const before = first.seq - 1
    const { lastSeq, hasText } = afterAppend({ turnId, lastSeq: before, hasText: false, ended: false }, events)
    // The turn's row says by itself whether it is there and just that far: no reading first.
    if (advance.run(lastSeq, hasText ? 1 : 0, isTerminal(last) ? last.at : null, turnId, before).changes !== 1) {
      throw new RangeError(`turn ${turnId} is not in the log, has ended, or does not stand at ${before}`)
    }
    insertEvents.run(turnId, first.seq, last.seq, JSON.stringify(events))
  }

  return {
    find: async (turnId) => {
      const row = select.get(turnId)
      if (row === undefined) return null
      await writer.settled()
      return fromRow(row)
    },
    open: (record, accepted) =>
      writer.write(() => {
        const { turnId, userId, messageId, question, createdAt } = record
        const isNew = insert.run(turnId, userId, question.sessionId, messageId, JSON.stringify(question), createdAt).changes === 1
        if (isNew && accepted !== undefined) append(turnId, [accepted])
        return isNew
      }),
    append: (turnId, events, bond) => writer.write(() => append(turnId, events), bond),
    read: async (turnId, afterSeq) => {
      const rows = selectEvents.all(turnId, afterSeq)
      // What is read is shown: a commit that a power cut could still undo is waited for.
      await writer.settled()
      return rows.flatMap((row) => eventsSchema.parse(JSON.parse(row.events))).filter((event) => event.seq > afterSeq)
    },
    unfinished: async () => selectUnfinished.all().map(fromRow),
    prune: (before) => writer.write(() => remove.run(before).changes)
  }
}
