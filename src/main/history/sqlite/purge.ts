// Removes for good what a person, or a rule of retention, wants gone. SQLite overwrites what it deletes (secure_delete), FTS5
// takes the words out of its segments (secure-delete); the rewrite at the end leaves no page that ever held them.
import type { Counts, PurgeScope, RetentionRule } from '../../../shared/domain.ts'
import type { Steps } from '../steps.ts'
import type { Core, Transact } from './core.ts'
import { storageFailure } from './failures.ts'
import { indexTables, rewriteIndex } from './indexRewrite.ts'
import type { Messages } from './messages.ts'

export interface Purge {
  preview(scope: PurgeScope): Counts
  unended(scope: PurgeScope): string[]
  /** `transact` runs one slice in one transaction. */
  run(scope: PurgeScope, transact: Transact): Steps<Counts>
  rules(): RetentionRule[]
  setRule(clientName: string, days: number | null): void
  applyRules(transact: Transact): Steps<Counts>
  /** Rewrites the index and the file, and empties the log, so that not even a freed page remembers. */
  rewrite(transact: Transact): Steps<void>
}

/** Messages removed in one transaction: some milliseconds, most of it the index. */
const SLICE = 50
const DAY_MS = 86_400_000

/** What SQL takes: the scope, and clients that have rules of their own where the rule for all others is meant. */
interface Filter {
  readonly sessionId: string | null
  readonly clientName: string | null
  readonly before: number | null
  /** 1: only clients without a rule of their own. */
  readonly othersOnly: 0 | 1
}

const SESSIONS = `
  SELECT s.number FROM sessions s
  WHERE ($sessionId IS NULL OR s.id = $sessionId) AND ($clientName IS NULL OR s.client_name = $clientName)
    AND ($othersOnly = 0 OR s.client_name NOT IN (SELECT client_name FROM retention))`
/** An answer is as old as its question: they go together. */
const MESSAGES = `
  FROM messages m LEFT JOIN turns t ON t.number = m.turn LEFT JOIN messages q ON q.position = t.question
  WHERE m.session IN (${SESSIONS}) AND ($before IS NULL OR coalesce(q.created_at, m.created_at) < $before)`
const EMPTIED = `
  FROM sessions WHERE number IN (${SESSIONS}) AND ($before IS NULL OR (last_activity_at < $before AND created_at < $before))`

function filterOf({ sessionId, clientName, before }: PurgeScope, othersOnly: 0 | 1 = 0): Filter {
  return { sessionId: sessionId ?? null, clientName: clientName ?? null, before: before ?? null, othersOnly }
}

export function createPurge({ db, sql, now }: Core, messages: Messages): Purge {
  const count = (query: string, filter: Filter): number => sql<number>(`SELECT count(*) ${query}`).pluck().get(filter) ?? 0

  /** How many were removed; a full slice means that there may be more. */
  function removeSlice(filter: Filter): number {
    const victims = sql<{ position: number; session: number; id: string }>(
      `SELECT m.position, m.session, m.id ${MESSAGES} ORDER BY m.position LIMIT ${SLICE}`
    ).all(filter)
    for (const { position, session, id } of victims) {
      // A question that was being changed: its new words are about the same thing.
      sql('DELETE FROM drafts WHERE place = ?').run(`edit.${id}`)
      messages.unindex(position)
      sql('DELETE FROM messages WHERE position = ?').run(position)
      sql('UPDATE sessions SET message_count = max(0, message_count - 1) WHERE number = ?').run(session)
    }
    return victims.length
  }

  /** Turns without a question to answer; their rows of the outbox go with them. */
  function removeTurns(filter: Filter): void {
    sql(
      `DELETE FROM turns WHERE session IN (${SESSIONS})
         AND NOT EXISTS (SELECT 1 FROM messages WHERE position = turns.question)
         AND NOT EXISTS (SELECT 1 FROM messages WHERE turn = turns.number)`
    ).run(filter)
  }

  function removeSessions(filter: Filter): number {
    const ids = sql<{ number: number; id: string }>(
      `SELECT number, id ${EMPTIED} AND NOT EXISTS (SELECT 1 FROM messages WHERE session = sessions.number)`
    ).all(filter)
    for (const { number, id } of ids) {
      sql('DELETE FROM drafts WHERE place = ?').run(id)
      sql("UPDATE ledger SET session_title = '' WHERE session_id = ?").run(id)
      sql('DELETE FROM sessions WHERE number = ?').run(number)
    }
    return ids.length
  }

  function* run(filter: Filter, transact: Transact): Steps<Counts> {
    let removed = 0
    for (;;) {
      const slice = transact(() => removeSlice(filter))
      removed += slice
      if (slice < SLICE) break
      yield
    }
    const sessions = transact(() => {
      removeTurns(filter)
      return removeSessions(filter)
    })
    return { sessions, messages: removed }
  }

  const rules = (): RetentionRule[] => sql<RetentionRule>('SELECT client_name AS clientName, days FROM retention ORDER BY client_name').all()

  return {
    preview(scope) {
      const filter = filterOf(scope)
      return { messages: count(MESSAGES, filter), sessions: count(EMPTIED, filter) }
    },
    unended: (scope) =>
      sql<string>(`SELECT DISTINCT t.id ${MESSAGES} AND t.state IN ('new', 'accepted', 'queued', 'answering')`).pluck().all(filterOf(scope)),
    run: (scope, transact) => run(filterOf(scope), transact),
    rules,
    setRule(clientName, days) {
      if (days === null) sql('DELETE FROM retention WHERE client_name = ?').run(clientName)
      else
        sql('INSERT INTO retention (client_name, days) VALUES (?, ?) ON CONFLICT (client_name) DO UPDATE SET days = excluded.days').run(
          clientName,
          days
        )
    },
    *applyRules(transact) {
      const total = { sessions: 0, messages: 0 }
      for (const { clientName, days } of rules()) {
        const before = now() - days * DAY_MS
        const filter = clientName === '' ? filterOf({ before }, 1) : filterOf({ clientName, before })
        const { sessions, messages: removed } = yield* run(filter, transact)
        total.sessions += sessions
        total.messages += removed
      }
      return total
    },
    *rewrite(transact) {
      yield* rewriteIndex(db, indexTables(db), transact)
      try {
        db.exec('VACUUM')
      } catch (error) {
        // Without room for a second copy the deleted text is overwritten all the same, by secure_delete.
        if (storageFailure(error) !== 'full') throw error
      }
      db.pragma('wal_checkpoint(TRUNCATE)')
    }
  }
}
