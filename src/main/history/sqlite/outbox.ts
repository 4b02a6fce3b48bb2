// The outbox's rows: one for the turn that a question is to be answered by.
import { CopilotError, type WireError } from '../../../shared/errors.ts'
import type { OutboxChange, OutboxRow } from '../history.ts'
import { notFound, type Core } from './core.ts'
import { asJson, parsed } from './rows.ts'

export interface Outbox {
  add(turn: number, acceptedAt: number): void
  remove(turn: number): void
  row(turnId: string): OutboxRow | null
  /** Waiting, sending and failed, oldest first. */
  open(): OutboxRow[]
  change(turnId: string, change: OutboxChange): OutboxRow
  settle(turn: number): void
  fail(turn: number, error: WireError): void
  waitingCount(): number
}

interface Row {
  readonly turnId: string
  readonly messageId: string
  readonly sessionId: string
  readonly state: OutboxRow['state']
  readonly position: number
  readonly attempts: number
  readonly acceptedAt: number
  readonly nextAttemptAt: number | null
  readonly confirmedAt: number | null
  readonly error: string | null
  readonly lastSeq: number
}

const ROW = `
  SELECT t.id AS turnId, m.id AS messageId, s.id AS sessionId, o.state, m.position, o.attempts, o.accepted_at AS acceptedAt,
    o.next_attempt_at AS nextAttemptAt, o.confirmed_at AS confirmedAt, o.error, t.last_seq AS lastSeq
  FROM outbox o
  JOIN turns t ON t.number = o.turn
  JOIN messages m ON m.position = t.question
  JOIN sessions s ON s.number = t.session`

/** Not of an import that is under way. */
const VISIBLE = 's.number NOT IN (SELECT number FROM hidden_sessions)'

function rowFrom(row: Row): OutboxRow {
  return { ...row, error: parsed(row.error) as WireError | null }
}

export function createOutbox({ sql }: Core): Outbox {
  function row(turnId: string): OutboxRow | null {
    const found = sql<Row>(`${ROW} WHERE t.id = ?`).get(turnId)
    return found === undefined ? null : rowFrom(found)
  }

  return {
    row,
    add: (turn, acceptedAt) => void sql("INSERT INTO outbox (turn, state, accepted_at) VALUES (?, 'waiting', ?)").run(turn, acceptedAt),
    remove: (turn) => void sql('DELETE FROM outbox WHERE turn = ?').run(turn),
    open: () => sql<Row>(`${ROW} WHERE o.state IN ('waiting', 'sending', 'failed') AND ${VISIBLE} ORDER BY m.position`).all().map(rowFrom),
    change(turnId, change) {
      const found = row(turnId)
      if (found === null) throw notFound('turn')
      const next = { ...found, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) }
      if (found.state === 'settled' && next.state !== 'settled') {
        throw new CopilotError('conflict', 'This question has been answered. Ask it again as a new one.')
      }
      sql(
        `UPDATE outbox SET state = ?, attempts = ?, next_attempt_at = ?, confirmed_at = ?, error = ?
         WHERE turn = (SELECT number FROM turns WHERE id = ?)`
      ).run(next.state, next.attempts, next.nextAttemptAt, next.confirmedAt, asJson(next.error), turnId)
      return next
    },
    settle: (turn) => void sql("UPDATE outbox SET state = 'settled', next_attempt_at = NULL, error = NULL WHERE turn = ?").run(turn),
    fail: (turn, error) => void sql("UPDATE outbox SET state = 'failed', next_attempt_at = NULL, error = ? WHERE turn = ?").run(asJson(error), turn),
    waitingCount: () => sql<number>("SELECT count(*) FROM outbox WHERE state = 'waiting'").pluck().get() ?? 0
  }
}
