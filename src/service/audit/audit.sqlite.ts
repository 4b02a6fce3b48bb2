// The audit log in an encrypted file of its own, beside the store: it can be verified while the service runs, and nothing
// that prunes or erases the store reaches it.
import { join } from 'node:path'
import { setImmediate as nextTick } from 'node:timers/promises'
import { z } from 'zod'
import type { Clock } from '../../shared/kit/clock.ts'
import type { SigningKeys } from '../auth/keys.ts'
import { openDatabase, type Database } from '../store/database.ts'
import { storeKey } from '../store/store.ts'
import { createWriter } from '../store/writer.ts'
import { pseudonymOf } from './pseudonym.ts'
import { auditActions } from './audit.ts'
import type { AuditLog } from './reader.ts'
import { createChainCheck, nextEntry, verifyChain, type AuditEntry, type ChainReport } from './chain.ts'
import { appendHead, forgedReport, ownHeads, readHeads } from './heads.ts'

const migrations: readonly string[] = [
  `
  CREATE TABLE entry (
    n INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  -- Entries are added, never changed: who wants to must break the file, and then the chain tells.
  CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
  CREATE TRIGGER entry_is_never_removed BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
  `
]

/** Entries that are checked before others get on. */
const VERIFIED_AT_ONCE = 500
/** A signed head is written after this many entries, at each start, hourly and at the end. */
const HEAD_EVERY_ENTRIES = 500
const HEAD_EVERY_MS = 3_600_000

interface Row {
  n: number
  at: number
  actor: string
  action: string
  subject: string
  details: string
  previous: string
  hash: string
}

const detailsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

function fromRow(row: Row): AuditEntry {
  const action = auditActions.find((known) => known === row.action)
  // A word that was never an action can't be shown as one; the hash below then tells that the entry was changed.
  return { ...row, action: action ?? 'access.denied', details: detailsSchema.parse(JSON.parse(row.details)) }
}

export interface AuditOptions {
  readonly dataDir: string
  readonly keys: SigningKeys
  readonly clock: Clock
  readonly onHeadFailed: (error: unknown) => void
}

/** The caller stops it. Throws `CopilotError` when the folder can't be used. */
export async function openAudit({ dataDir, keys, clock, onHeadFailed }: AuditOptions): Promise<AuditLog> {
  const { database, incident } = await openFile(dataDir, clock, false)
  const writer = createWriter(database)
  const insert = database.prepare<[Row]>('INSERT INTO entry VALUES (@n, @at, @actor, @action, @subject, @details, @previous, @hash)')
  const selectLast = database.prepare<[], Pick<AuditEntry, 'n' | 'hash'>>('SELECT n, hash FROM entry ORDER BY n DESC LIMIT 1')
  const selectPage = database.prepare<[number, number], Row>('SELECT * FROM entry WHERE n < ? ORDER BY n DESC LIMIT ?')
  const selectAfter = database.prepare<[number, number], Row>('SELECT * FROM entry WHERE n > ? ORDER BY n LIMIT ?')
  const selectOf = database.prepare<[{ userId: string; pseudonym: string }], Row>(
    'SELECT * FROM entry WHERE actor IN (@userId, @pseudonym) OR subject IN (@userId, @pseudonym) ORDER BY n'
  )
  let headed = selectLast.get()?.n ?? 0
  let heads = Promise.resolve()

  const writeHead = (): Promise<void> => {
    heads = heads.then(async () => {
      const last = selectLast.get()
      if (last === undefined) return
      await appendHead(ownHeads(dataDir), keys, { ...last, at: clock.now() })
      headed = last.n
    })
    return heads
  }
  const keepHead = (): void => void writeHead().catch(onHeadFailed)
  keepHead()
  const timer = setInterval(keepHead, HEAD_EVERY_MS)
  timer.unref()
  const verify = async (): Promise<ChainReport> => {
    // The heads first: one that is written while the chain is read lies beyond what was read of it.
    const { heads, forged } = await readHeads(ownHeads(dataDir), keys)
    if (forged !== null) return forgedReport(heads, forged)
    const check = createChainCheck(heads)
    for (let last = 0; ;) {
      const found = selectAfter.all(last, VERIFIED_AT_ONCE)
      for (const row of found) {
        const broken = check.take(asWritten(row))
        if (broken !== null) return broken
      }
      const end = found.at(-1)
      if (end === undefined) return check.end()
      last = end.n
      await nextTick()
    }
  }
  let verifying: Promise<ChainReport> | null = null

  return {
    incident,
    page: async ({ limit, before = Number.MAX_SAFE_INTEGER }) => selectPage.all(before, limit).map(fromRow),
    entriesOf: async (userId) => selectOf.all({ userId, pseudonym: pseudonymOf(userId) }).map(fromRow),
    verify: () => (verifying ??= verify().finally(() => (verifying = null))),
    async record(event) {
      const n = await writer.write(() => {
        const entry = nextEntry(selectLast.get() ?? null, event, clock.now())
        insert.run({ ...entry, details: JSON.stringify(entry.details) })
        return entry.n
      })
      if (n - headed >= HEAD_EVERY_ENTRIES) {
        headed = n
        keepHead()
      }
    },
    async stop() {
      clearInterval(timer)
      writer.stop()
      await writeHead().catch(onHeadFailed)
      database.close()
    }
  }
}

/** Reads and checks the whole log of a data folder, also while a service writes it. */
export async function verifyAudit({ dataDir, keys, clock }: Omit<AuditOptions, 'onHeadFailed'>): Promise<ChainReport> {
  const { database } = await openFile(dataDir, clock, true)
  try {
    // The heads first: one that is written while the chain is read lies beyond what was read of it.
    const { heads, forged } = await readHeads(ownHeads(dataDir), keys)
    if (forged !== null) return forgedReport(heads, forged)
    return verifyChain(rows(database), heads)
  } finally {
    database.close()
  }
}

function* rows(database: Database): Generator<AuditEntry> {
  for (const row of database.prepare<[], Row>('SELECT * FROM entry ORDER BY n').iterate()) {
    yield asWritten(row)
  }
}

/** An action that was never one can't have been written by us: the entry then fits no hash. */
function asWritten(row: Row): AuditEntry {
  const entry = fromRow(row)
  return entry.action === row.action ? entry : { ...entry, hash: '' }
}

async function openFile(dataDir: string, clock: Clock, leaveDamage: boolean): Promise<{ database: Database; incident: string | null }> {
  const now = clock.now()
  const { key } = await storeKey(join(dataDir, 'store.key'), now)
  return openDatabase({ file: join(dataDir, 'audit.sqlite'), key, migrations, now, shared: true, leaveDamage })
}
