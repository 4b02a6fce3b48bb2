// The audit log's contract on each database; one chain for several services, and what somebody did to the database behind their back.
import { describe, expect, it } from 'vitest'
import { openPostgresAudit, verifyPostgresAudit } from '../../src/service/audit/audit.postgres.ts'
import { openAudit } from '../../src/service/audit/audit.sqlite.ts'
import { signingKeys } from '../../src/service/auth/keys.ts'
import type { Postgres } from '../../src/service/store/postgres.ts'
import { fakeClock, tempFolder } from '../fakes/service-parts.ts'
import { usePostgres } from '../fakes/service-postgres.ts'
import { auditContract } from './audit.ts'

describe('audit log in SQLite', () => {
  auditContract(async () => {
    const folder = await tempFolder()
    const keys = await signingKeys(folder.path)
    const open = () => openAudit({ dataDir: folder.path, keys, clock: fakeClock(), onHeadFailed: () => undefined })
    return { audit: await open(), reopen: open, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
  })
})

describe('audit log in PostgreSQL', () => {
  const { shared } = usePostgres()
  const setUp = async () => {
    const database = await shared()
    const folder = await tempFolder()
    const keys = await signingKeys(folder.path)
    const failures: unknown[] = []
    const open = (postgres: Postgres = database.postgres, dataDir = folder.path) =>
      openPostgresAudit({ postgres, dataDir, keys, clock: fakeClock(), onHeadFailed: (error) => failures.push(error) })
    return {
      database,
      folder,
      keys,
      failures,
      open,
      reopen: () => open(),
      audit: await open(),
      async [Symbol.asyncDispose]() {
        await database[Symbol.asyncDispose]()
        await folder[Symbol.asyncDispose]()
      }
    }
  }
  auditContract(setUp)

  it('is one chain for several services, and each verifies it', async () => {
    await using house = await setUp()
    await using second = await tempFolder()
    const other = await house.open(await house.database.join('two'), second.path)
    const event = { actor: 'anna', action: 'access.denied', subject: 's' } as const
    await Promise.all(Array.from({ length: 300 }, async (_, n) => await (n % 2 === 0 ? house.audit : other).record(event)))
    expect(await house.audit.verify()).toMatchObject({ ok: true, entries: 300 })
    await house.audit.stop()
    await other.stop()
    for (const dataDir of [house.folder.path, second.path]) {
      expect(await verifyPostgresAudit(house.database.postgres, { dataDir, keys: house.keys })).toMatchObject({ ok: true, entries: 300, heads: 1 })
    }
    expect(house.failures).toEqual([])
  })

  it.each(['UPDATE audit_entry SET actor = actor', 'DELETE FROM audit_entry', 'TRUNCATE audit_entry'])('refuses %s', async (sql) => {
    await using house = await setUp()
    await house.audit.record({ actor: 'anna', action: 'access.denied', subject: 's' })
    await expect(house.database.postgres.count(sql)).rejects.toThrow('append-only')
    await house.audit.stop()
  })

  it.each([
    ['a changed actor', "UPDATE audit_entry SET actor = 'bob' WHERE n = 2", 2],
    ['an unknown action', "UPDATE audit_entry SET action = 'nothing.at-all' WHERE n = 3", 3],
    ['a missing entry', 'DELETE FROM audit_entry WHERE n = 2', 2],
    ['a cut end', 'DELETE FROM audit_entry WHERE n > 3; UPDATE audit_tail SET (n, hash) = (SELECT n, hash FROM audit_entry WHERE n = 3)', 4],
    ['an emptied log', "DELETE FROM audit_entry; UPDATE audit_tail SET n = 0, hash = ''", 1]
  ])('tells of %s', async (_, sql, brokenAt) => {
    await using house = await setUp()
    for (let n = 0; n < 5; n += 1) await house.audit.record({ actor: 'anna', action: 'access.denied', subject: `s${n}` })
    await house.audit.stop()
    // As a superuser would, past the triggers.
    await house.database.postgres.count(`DO $$ BEGIN SET LOCAL session_replication_role = replica; ${sql}; END $$`)
    const report = await verifyPostgresAudit(house.database.postgres, { dataDir: house.folder.path, keys: house.keys })
    expect(report).toMatchObject({ ok: false, brokenAt })
  })
})
