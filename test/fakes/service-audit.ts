// What a running or stopped service has audited, read from its own file.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDatabase } from '../../src/service/store/database.ts'

export interface Audited {
  readonly actor: string
  readonly action: string
  readonly subject: string
}

/** Oldest first, without the service's own starts and ends. */
export async function auditedIn(dataDir: string): Promise<Audited[]> {
  const key = (await readFile(join(dataDir, 'store.key'), 'utf8')).trim()
  const file = join(dataDir, 'audit.sqlite')
  const { database } = openDatabase({ file, key, migrations: ['SELECT 1'], now: 0, shared: true, leaveDamage: true })
  try {
    return database.prepare<[], Audited>(`SELECT actor, action, subject FROM entry WHERE action NOT LIKE 'service.%' ORDER BY n`).all()
  } finally {
    database.close()
  }
}
