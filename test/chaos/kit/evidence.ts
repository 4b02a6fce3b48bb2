// What the stores say after a run, read from their files: not from the word of any process that was part of it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { loadOrCreateKey } from '../../../src/main/history/key.ts'
import { openConnection } from '../../../src/main/history/sqlite/connection.ts'
import { systemClock } from '../../../src/shared/kit/clock.ts'
import type { Question, TurnEvent } from '../../../src/shared/turn.ts'
import { testVault } from '../../fakes/host.ts'
import type { Evidence } from './checks.ts'
import type { ChaosFolders } from './processes.ts'

type Checked = Evidence['databases'][number]

/** `quick_check` and `integrity_check`: every page is read, and with this cipher every page's own check with it. */
function check(name: string, database: SqliteDatabase.Database): Checked {
  for (const pragma of ['quick_check', 'integrity_check', 'foreign_key_check']) {
    const said = database.pragma(pragma, { simple: true }) as unknown
    if (said !== 'ok' && said !== undefined) return { name, problem: `${pragma}: ${JSON.stringify(said)}` }
  }
  return { name, problem: null }
}

/** Files that a process set aside because it could not read them. */
function setAside(folder: string): Checked[] {
  return readdirSync(folder)
    .filter((name) => /damaged|set-aside|unfinished/.test(name))
    .map((name) => ({ name, problem: 'was set aside' }))
}

export async function readHistory(dataDir: string): Promise<{ history: Evidence['history']; databases: Checked[] }> {
  const opened = await loadOrCreateKey({ dataDir, vault: testVault, clock: systemClock })
  const key = opened.state === 'open' ? opened.keys[0] : undefined
  if (key === undefined) throw new Error('the history has no key')
  const db = openConnection(join(dataDir, 'history.db'), key, { readonly: true, fileMustExist: true })
  try {
    const questions = db
      .prepare<[], Evidence['history']['questions'][number]>(
        `SELECT t.id AS turnId, s.id AS sessionId, m.text, o.state AS delivery
         FROM messages m JOIN sessions s ON s.number = m.session LEFT JOIN turns t ON t.number = m.turn LEFT JOIN outbox o ON o.turn = t.number
         WHERE m.role = 'user' ORDER BY m.position`
      )
      .all()
    const answers = db
      .prepare<[], Evidence['history']['answers'][number]>(
        `SELECT t.id AS turnId, m.text, t.state, t.last_seq AS lastSeq FROM messages m JOIN turns t ON t.number = m.turn WHERE m.role = 'assistant' ORDER BY m.position`
      )
      .all()
    return { history: { questions, answers }, databases: [check('history.db', db), ...setAside(dataDir)] }
  } finally {
    db.close()
  }
}

export function readService(dataDir: string): { service: Evidence['service']; databases: Checked[] } {
  const folder = join(dataDir, 'service')
  const db = new SqliteDatabase(join(folder, 'service.sqlite'), { fileMustExist: true })
  try {
    db.pragma("cipher = 'aegis'")
    db.pragma(`key = 'raw:${readFileSync(join(folder, 'store.key'), 'utf8').trim()}'`)
    const eventsOf = db.prepare<[string], { events: string }>('SELECT events FROM turn_events WHERE turn_id = ? ORDER BY first_seq')
    const turns = db
      .prepare<[], { turnId: string; question: string }>('SELECT turn_id AS turnId, question FROM turn ORDER BY created_at, turn_id')
      .all()
      .map(({ turnId, question }) => {
        const { text, sessionId } = JSON.parse(question) as Question
        const events = eventsOf.all(turnId).flatMap((row) => JSON.parse(row.events) as TurnEvent[])
        const answer = events.map((event) => (event.type === 'delta' ? event.text : '')).join('')
        return { turnId, sessionId, text, seqs: events.map(({ seq }) => seq), answer, lastEvent: events.at(-1)?.type ?? 'nothing' }
      })
    const memory = db
      .prepare<[], Evidence['service']['memory'][number]>(
        'SELECT turn_id AS turnId, session_id AS sessionId, role, text FROM message ORDER BY position'
      )
      .all()
    return { service: { turns, memory }, databases: [check('service.sqlite', db), ...setAside(folder)] }
  } finally {
    db.close()
  }
}

export function readStores({ desktop, service }: ChaosFolders): Promise<Pick<Evidence, 'history' | 'service' | 'databases'>> {
  const served = readService(service)
  return readHistory(desktop).then(({ history, databases }) => ({
    history,
    service: served.service,
    databases: [...databases, ...served.databases]
  }))
}
