// A second copy of what was accepted and answered since the last copy of the whole: rows, sealed one by one, behind each other.
// The database alone is durable; this file is for the day when a page of it can't be read any more. It is not waited for.
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { derivedKey, seal, unseal } from '../sealing.ts'
import type { Statements } from './connection.ts'
import { storageFailure } from './failures.ts'

const JOURNAL_FILE = 'history.journal'
/** What was written before a copy that is still being made. */
const OLD_FILE = 'history.journal.old'
const PURPOSE = 'aside journal'
const LENGTH = 4

const entrySchema = z.array(
  z.object({ table: z.enum(['sessions', 'turns', 'messages', 'outbox']), row: z.record(z.string(), z.union([z.string(), z.number(), z.null()])) })
)
export type JournalEntry = z.infer<typeof entrySchema>

export interface Journal {
  /** All there is about a turn, as it is now. After its transaction. */
  note(turnId: string): void
  /** A copy of the whole begins: what is noted from here on may not be in it. */
  copyBegins(): void
  /** It is made: what was noted before it is in it. */
  copyMade(): void
  /** Forgets all of it, for a purge. */
  forget(): void
  close(): void
}

export function createJournal(dataDir: string, key: Uint8Array, sql: Statements): Journal {
  const [file, old] = [join(dataDir, JOURNAL_FILE), join(dataDir, OLD_FILE)]
  const sealKey = derivedKey(key, PURPOSE)
  let descriptor: number | null = null

  function close(): void {
    if (descriptor !== null) closeSync(descriptor)
    descriptor = null
  }

  function rowsOf(turnId: string): JournalEntry {
    const turn = sql<{ number: number; session: number }>('SELECT * FROM turns WHERE id = ?').get(turnId)
    if (turn === undefined) return []
    const all = (table: JournalEntry[number]['table'], query: string, number: number): JournalEntry =>
      sql<JournalEntry[number]['row']>(query)
        .all(number)
        .map((row) => ({ table, row }))
    return [
      ...all('sessions', 'SELECT * FROM sessions WHERE number = ?', turn.session),
      ...all('turns', 'SELECT * FROM turns WHERE number = ?', turn.number),
      ...all('messages', 'SELECT * FROM messages WHERE turn = ?', turn.number),
      ...all('outbox', 'SELECT * FROM outbox WHERE turn = ?', turn.number)
    ]
  }

  return {
    note(turnId) {
      try {
        const sealed = seal(Buffer.from(JSON.stringify(rowsOf(turnId))), sealKey, PURPOSE)
        const length = Buffer.alloc(LENGTH)
        length.writeUInt32BE(sealed.byteLength)
        descriptor ??= openSync(file, 'a', 0o600)
        writeSync(descriptor, Buffer.concat([length, sealed]))
      } catch (error) {
        // The first copy is durable; for a second one there is no room, or a page is damaged and the next call finds it.
        if (storageFailure(error) === null) throw error
      }
    },
    copyBegins() {
      close()
      if (!existsSync(file)) return
      const target = openSync(old, 'a', 0o600)
      try {
        writeSync(target, readFileSync(file))
      } finally {
        closeSync(target)
      }
      rmSync(file)
    },
    copyMade: () => rmSync(old, { force: true }),
    forget() {
      close()
      for (const name of [file, old]) rmSync(name, { force: true })
    },
    close
  }
}

/** Entries, oldest first. What was torn by a crash or is damaged is left out. */
export function readJournal(dataDir: string, keys: readonly Uint8Array[]): JournalEntry[] {
  const sealKeys = keys.map((key) => derivedKey(key, PURPOSE))
  return [OLD_FILE, JOURNAL_FILE].flatMap((name) => [...entriesIn(join(dataDir, name), sealKeys)])
}

function* entriesIn(file: string, sealKeys: readonly Uint8Array[]): Generator<JournalEntry, void> {
  if (!existsSync(file)) return
  const bytes = readFileSync(file)
  for (let at = 0; at + LENGTH <= bytes.byteLength;) {
    const end = at + LENGTH + bytes.readUInt32BE(at)
    if (end > bytes.byteLength) return
    const entry = opened(bytes.subarray(at + LENGTH, end), sealKeys)
    if (entry !== null) yield entry
    at = end
  }
}

function opened(sealed: Uint8Array, sealKeys: readonly Uint8Array[]): JournalEntry | null {
  for (const sealKey of sealKeys) {
    const plain = unseal(sealed, sealKey, PURPOSE)
    if (plain !== null) return entrySchema.parse(JSON.parse(Buffer.from(plain).toString('utf8')))
  }
  return null
}

/**
 * Puts back turns that were acknowledged and noted, but that the database does not know: the end of its log was damaged. Not
 * those of a session that is gone. What is put back and was not answered asks before it is sent. The caller opens the transaction.
 */
export function replayJournal(sql: Statements, entries: readonly JournalEntry[], now: number): number {
  let added = 0
  const newest = new Map<unknown, JournalEntry>()
  for (const entry of entries) newest.set(entry.find(({ table }) => table === 'turns')?.row['id'], entry)
  for (const [turnId, entry] of newest) {
    const session = entry.find(({ table }) => table === 'sessions')?.row['id']
    const isKnown = sql('SELECT 1 FROM turns WHERE id = ?').get(turnId) !== undefined
    const number = sql<number>('SELECT number FROM sessions WHERE id = ?').pluck().get(session)
    if (isKnown || number === undefined || turnId === undefined) continue
    for (const { table, row } of entry) {
      if (table === 'sessions') continue
      const whole: JournalEntry[number]['row'] = {
        ...row,
        ...(table === 'outbox' ? {} : { session: number }),
        ...(table === 'messages' ? { indexed_length: 0 } : {})
      }
      const names = Object.keys(whole)
      sql(`INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`).run(names.map((name) => whole[name]))
    }
    sql(
      `UPDATE outbox SET state = 'waiting', confirmed_at = NULL, accepted_at = min(accepted_at, ?)
       WHERE state IN ('waiting', 'sending') AND turn = (SELECT number FROM turns WHERE id = ? AND last_seq = 0)`
    ).run(now - 3_600_001, turnId)
    sql('UPDATE sessions SET message_count = (SELECT count(*) FROM messages WHERE session = sessions.number) WHERE number = ?').run(number)
    added += 1
  }
  return added
}
