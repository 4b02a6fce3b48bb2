// Fills a history with many answered questions, through the store's own rooms but in large transactions without waiting
// for the disk: the result is the same database that a long use would leave.
import { createBallast } from '../src/main/history/sqlite/ballast.ts'
import { openConnection, statementsOf } from '../src/main/history/sqlite/connection.ts'
import { openDatabase } from '../src/main/history/sqlite/opening.ts'
import { createSearchIndex } from '../src/main/history/sqlite/searchIndex.ts'
import { createUpkeep } from '../src/main/history/sqlite/upkeep.ts'
import { systemClock } from '../src/shared/kit/clock.ts'
import type { Corpus } from './corpus.ts'

export interface BuildOptions {
  readonly dataDir: string
  readonly key: Uint8Array
  readonly messages: number
  readonly corpus: Pick<Corpus, 'message'>
}

export const PER_SESSION = 200
export const CLIENTS = 40
const PER_TRANSACTION = 4_000
/** Time of the last message; they are a minute apart. */
const UNTIL = Date.UTC(2026, 10, 20)

export function sessionIdOf(number: number): string {
  return `session-${number}`
}

export function clientOf(session: number): string {
  return `Client ${session % CLIENTS}`
}

export function timeOf(position: number, messages: number): number {
  return UNTIL - (messages - position) * 60_000
}

/** Sessions of 200 messages, 40 clients, questions and answers in turn. */
export function buildHistory({ dataDir, key, messages, corpus }: BuildOptions): void {
  // Makes the format; then a connection that need not wait.
  openDatabase({ dataDir, key, clock: systemClock }).close()
  const db = openConnection(`${dataDir}/history.db`, key)
  db.pragma('synchronous = OFF')
  const sql = statementsOf(db)
  const upkeep = createUpkeep(db, sql, createBallast(dataDir))
  const index = createSearchIndex(db, sql, (table) => upkeep.grown(table))
  const inOneTransaction = db.transaction((action: () => void) => action())
  const at = (position: number): number => timeOf(position, messages)

  function addSession(number: number, from: number): void {
    sql(
      `INSERT INTO sessions (number, id, title, client_name, meeting_type, project_context, service_types, cloud_providers, custom_fields, notes,
         status, pinned, created_at, updated_at, last_activity_at, message_count)
       VALUES (?, ?, ?, ?, '', '', '[]', '[]', '{}', '', 'active', 0, ?, ?, ?, ?)`
    ).run(number, sessionIdOf(number), `Meeting ${number}`, clientOf(number), from, from, from, PER_SESSION)
  }

  function addPair(position: number, session: number): void {
    const turn = (position + 1) / 2
    sql(
      "INSERT INTO turns (number, id, session, question, answer, context, state, last_seq, finish, ended_at) VALUES (?, ?, ?, ?, ?, '{}', 'done', 40, 'stop', ?)"
    ).run(turn, `turn-${turn}`, session, position, position + 1, at(position + 1))
    sql("INSERT INTO outbox (turn, state, accepted_at) VALUES (?, 'settled', ?)").run(turn, at(position))
    for (const [offset, role] of ['user', 'assistant'].entries()) {
      const text = corpus.message()
      sql('INSERT INTO messages (position, id, session, turn, role, created_at, indexed_length, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
        position + offset,
        `message-${position + offset}`,
        session,
        turn,
        role,
        at(position + offset),
        text.length,
        text
      )
      index.noteTime(position + offset, at(position + offset))
      index.add({ position: position + offset, session, role, text })
    }
  }

  try {
    for (let from = 1; from <= messages; from += PER_TRANSACTION) {
      inOneTransaction(() => {
        for (let position = from; position < from + PER_TRANSACTION && position <= messages; position += 2) {
          const session = Math.floor(position / PER_SESSION) + 1
          if (position === 1 || position % PER_SESSION === 1) addSession(session, at(position))
          addPair(position, session)
        }
      })
      while (upkeep.tend());
    }
    db.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    db.close()
  }
}
