// Everything the service keeps: one encrypted database in the data folder, its key beside it, one writer.
import { randomBytes } from 'node:crypto'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../shared/kit/clock.ts'
import { openDatabase, type Database } from './database.ts'
import { openFlush } from './flush.ts'
import { migrations } from './migrations.ts'
import { secretFile } from './secretFile.ts'
import { createWriter, type Writer, type WriterOptions } from './writer.ts'

export interface Store {
  /** For reads; writes go through `writer`. */
  readonly database: Database
  readonly writer: Writer
  readonly incident: string | null
  /** Resolves when the disk has just taken a commit. Rejects with `CopilotError` when it refuses. */
  probe(): Promise<void>
  /** Commits what waits and closes the file. */
  stop(): void
}

export interface StoreOptions {
  readonly dataDir: string
  readonly clock: Clock
  readonly onCommit?: WriterOptions['onCommit']
}

/** Of the write-ahead log, at which it goes to the database: 16 MB. The more, the more writes of the same page become one. */
const CHECKPOINT_PAGES = 4_000
/** Pages are decrypted once for as long as they stay in it. */
const CACHE_KIB = 16_384

/** The caller stops it. Throws `CopilotError` with one sentence when the data folder can't be used. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const now = options.clock.now()
  const { key, incident: keyIncident } = await storeKey(join(options.dataDir, 'store.key'), now)
  const opened = openDatabase({ file: join(options.dataDir, 'service.sqlite'), key, migrations, now })
  const { database } = opened
  database.pragma('synchronous = NORMAL')
  database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  database.pragma(`cache_size = -${CACHE_KIB}`)
  const flush = openFlush(database)
  const writer = createWriter(database, { flush, ...(options.onCommit === undefined ? {} : { onCommit: options.onCommit }) })
  return {
    database,
    writer,
    incident: [keyIncident, opened.incident].filter((incident) => incident !== null).join(' ') || null,
    // The same value again is a page written all the same.
    probe: () => writer.write(() => void database.pragma(`user_version = ${migrations.length}`)),
    stop() {
      writer.stop()
      flush.close()
      database.close()
    }
  }
}

/** A key file that holds something else (a torn copy, an edit) is kept aside; the database then is too. */
export async function storeKey(file: string, now: number): Promise<{ key: string; incident: string | null }> {
  const found = await secretFile(file, newKey)
  if (/^[0-9a-f]{64}$/.test(found)) return { key: found, incident: null }
  const aside = `${file}.damaged-${new Date(now).toISOString().replace(/[:.]/g, '-')}`
  renameSync(file, aside)
  return { key: await secretFile(file, newKey), incident: `The store's key file was not a key. It is kept as ${aside}; a new one was made.` }
}

function newKey(): string {
  return randomBytes(32).toString('hex')
}
