// The audit log in the shared PostgreSQL: one chain for every service. Whoever adds to it holds its end; what one service records at the
// same moment goes in together. Each keeps signed heads of its own beside it, so that each can tell when the database was cut or rewritten.
import { z } from 'zod'
import type { Clock } from '../../shared/kit/clock.ts'
import type { SigningKeys } from '../auth/keys.ts'
import { createBatch } from '../store/batch.ts'
import type { Postgres, PostgresQueries } from '../store/postgres.ts'
import type { AuditEvent } from './audit.ts'
import { auditActions } from './audit.ts'
import { createChainCheck, nextEntry, START_HASH, type AuditEntry, type ChainReport } from './chain.ts'
import { appendHead, forgedReport, readHeads, sharedHeads } from './heads.ts'
import { pseudonymOf } from './pseudonym.ts'
import type { AuditLog } from './reader.ts'

const READ_AT_ONCE = 500
/** A signed head is written after this many entries, at each start, hourly and at the end. */
const HEAD_EVERY_ENTRIES = 500
const HEAD_EVERY_MS = 3_600_000
/** In one step; a round trip each would hold up the other services. */
const MOST_AT_ONCE = 200

interface Row {
  readonly n: number
  readonly at: number
  readonly actor: string
  readonly action: string
  readonly subject: string
  readonly details: string
  readonly previous: string
  readonly hash: string
}

type Tail = Pick<AuditEntry, 'n' | 'hash'>

const detailsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

export interface PostgresAuditOptions {
  readonly postgres: Postgres
  /** Where this service keeps its heads. */
  readonly dataDir: string
  readonly keys: SigningKeys
  readonly clock: Clock
  readonly onHeadFailed: (error: unknown) => void
}

/** The caller stops it, before the database. */
export async function openPostgresAudit({ postgres, dataDir, keys, clock, onHeadFailed }: PostgresAuditOptions): Promise<AuditLog> {
  let heads = Promise.resolve()
  let headed = 0
  let stopped = false

  const tail = async (): Promise<Tail> => (await postgres.rows<Tail>('SELECT n, hash FROM audit_tail'))[0] ?? { n: 0, hash: '' }
  const writeHead = (): Promise<void> => {
    const head = async (): Promise<void> => {
      const last = await tail()
      if (last.n === 0) return
      await appendHead(sharedHeads(dataDir), keys, { ...last, at: clock.now() })
      headed = last.n
    }
    // One after the other; one that failed is told to who asked for it, and holds up none after it.
    heads = heads.then(head, head)
    return heads
  }
  const keepHead = (): void => void writeHead().catch(onHeadFailed)
  await writeHead().catch(onHeadFailed)
  const timer = setInterval(keepHead, HEAD_EVERY_MS)
  timer.unref()

  const adding = createBatch<AuditEvent, number>(async (events) => {
    const last = await postgres.transaction((queries) => append(queries, events, clock.now()))
    return events.map(() => last)
  }, MOST_AT_ONCE)

  const verify = async (): Promise<ChainReport> => {
    // The heads first: one that is written while the chain is read lies beyond what was read of it.
    const { heads: signed, forged } = await readHeads(sharedHeads(dataDir), keys)
    return forged === null ? await verifyChainIn(postgres, signed) : forgedReport(signed, forged)
  }
  let verifying: Promise<ChainReport> | null = null

  return {
    incident: null,
    async record(event) {
      if (stopped) throw new Error('the audit log is closed')
      const last = await adding.add(event)
      if (last - headed < HEAD_EVERY_ENTRIES) return
      headed = last
      keepHead()
    },
    page: async ({ limit, before = Number.MAX_SAFE_INTEGER }) =>
      (await postgres.rows<Row>('SELECT * FROM audit_entry WHERE n < $1 ORDER BY n DESC LIMIT $2', [before, limit])).map(fromRow),
    entriesOf: async (userId) =>
      (
        await postgres.rows<Row>('SELECT * FROM audit_entry WHERE actor IN ($1, $2) OR subject IN ($1, $2) ORDER BY n', [userId, pseudonymOf(userId)])
      ).map(fromRow),
    verify: () => (verifying ??= verify().finally(() => (verifying = null))),
    async stop() {
      stopped = true
      clearInterval(timer)
      await adding.idle()
      await writeHead().catch(onHeadFailed)
    }
  }
}

/** Checks the whole chain against the heads that one service has signed. Others may add meanwhile. */
export async function verifyPostgresAudit(postgres: Postgres, { dataDir, keys }: { dataDir: string; keys: SigningKeys }): Promise<ChainReport> {
  const { heads, forged } = await readHeads(sharedHeads(dataDir), keys)
  return forged === null ? await verifyChainIn(postgres, heads) : forgedReport(heads, forged)
}

async function verifyChainIn(postgres: Postgres, heads: Parameters<typeof createChainCheck>[0]): Promise<ChainReport> {
  const check = createChainCheck(heads)
  for (let last = 0; ;) {
    const found = await postgres.rows<Row>('SELECT * FROM audit_entry WHERE n > $1 ORDER BY n LIMIT $2', [last, READ_AT_ONCE])
    for (const row of found) {
      const entry = fromRow(row)
      // An action that was never one can't have been written by us: the entry then fits no hash.
      const broken = check.take(entry.action === row.action ? entry : { ...entry, hash: '' })
      if (broken !== null) return broken
    }
    const end = found.at(-1)
    if (end === undefined) return check.end()
    last = end.n
  }
}

/** Resolves with the number of the last one. The end of the chain is one row: who has locked it is the only one who adds. */
async function append(queries: PostgresQueries, events: readonly AuditEvent[], now: number): Promise<number> {
  const [kept] = await queries.rows<Tail>('SELECT n, hash FROM audit_tail FOR UPDATE')
  if (kept === undefined) throw new Error('the end of the audit log is missing')
  let last: Tail = kept.n === 0 ? { n: 0, hash: START_HASH } : kept
  const entries: AuditEntry[] = []
  for (const event of events) {
    const entry = nextEntry(last, event, now)
    entries.push(entry)
    last = entry
  }
  await queries.count(
    `INSERT INTO audit_entry (n, at, actor, action, subject, details, previous, hash)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])`,
    [
      entries.map(({ n }) => n),
      entries.map(({ at }) => at),
      entries.map(({ actor }) => actor),
      entries.map(({ action }) => action),
      entries.map(({ subject }) => subject),
      entries.map(({ details }) => JSON.stringify(details)),
      entries.map(({ previous }) => previous),
      entries.map(({ hash }) => hash)
    ]
  )
  await queries.count('UPDATE audit_tail SET n = $1, hash = $2', [last.n, last.hash])
  return last.n
}

function fromRow({ n, at, actor, action, subject, details, previous, hash }: Row): AuditEntry {
  const known = auditActions.find((one) => one === action)
  return { n, at, actor, action: known ?? 'access.denied', subject, details: detailsSchema.parse(JSON.parse(details)), previous, hash }
}
