// Brings the shared tables up to date, once, however many services start at the same moment. A step is never edited once it is on the
// main branch: add the next one. A step must let the version before it go on working: services are replaced one after the other.
import type { Pool } from 'pg'
import { CopilotError } from '../../shared/errors.ts'
import { agentSteps, auditSteps, instanceSteps, knowledgeSteps, ledgerSteps, personSteps, sessionSteps } from './postgresTables.ts'

const steps: readonly string[] = [instanceSteps, sessionSteps, ledgerSteps, personSteps, agentSteps, knowledgeSteps, auditSteps]
/** Of the advisory lock: the word "aside" as a number. */
const LOCK = 0x6173_6964_65

/** Throws `conflict` when a newer version of Aside was here. */
export async function migrate(pool: Pool, label: string): Promise<void> {
  const client = await pool.connect()
  try {
    // Held by this connection and gone with it. Longer than a statement may take otherwise: who waits here waits for all the steps.
    await client.query('SET statement_timeout = 0')
    await client.query('SELECT pg_advisory_lock($1)', [LOCK])
    await client.query('CREATE TABLE IF NOT EXISTS aside_step (step integer PRIMARY KEY, done_at timestamptz NOT NULL DEFAULT now())')
    const { rows } = await client.query<{ done: number }>('SELECT coalesce(max(step), 0) AS done FROM aside_step')
    const done = rows[0]?.done ?? 0
    if (done > steps.length) {
      throw new CopilotError(
        'conflict',
        `The database at ${label} was written by a newer version of Aside (step ${done}). Use that version, or another database.`
      )
    }
    for (const [index, step] of steps.entries()) {
      if (index >= done) await client.query(`BEGIN; ${step}; INSERT INTO aside_step (step) VALUES (${index + 1}); COMMIT`)
    }
  } finally {
    // Not back into the pool: that gives up the lock, its settings, and a step that failed half-way.
    client.release(true)
  }
}
