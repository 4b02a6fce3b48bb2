// The audit log on the disk: it grows, is verified while it is written, and tells when somebody touched its files.
import { existsSync } from 'node:fs'
import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fakeClock, tempFolder } from '../../../test/fakes/service-parts.ts'
import { signingKeys } from '../auth/keys.ts'
import { openDatabase } from '../store/database.ts'
import { openAudit, verifyAudit } from './audit.sqlite.ts'

async function setUp() {
  const folder = await tempFolder()
  const clock = fakeClock()
  const keys = await signingKeys(folder.path)
  const failures: unknown[] = []
  const options = { dataDir: folder.path, clock, keys, onHeadFailed: (error: unknown) => failures.push(error) }
  const file = join(folder.path, 'audit.sqlite')
  /** Opens the file past the service, as an intruder with the key would. */
  const intrude = async (sql: string): Promise<void> => {
    const key = (await readFile(join(folder.path, 'store.key'), 'utf8')).trim()
    const { database } = openDatabase({ file, key, migrations: ['SELECT 1'], now: 0, shared: true })
    database.exec(`DROP TRIGGER entry_is_never_changed; DROP TRIGGER entry_is_never_removed; ${sql}`)
    database.close()
  }
  const write = async (count: number): Promise<void> => {
    const audit = await openAudit(options)
    await Promise.all(
      Array.from({ length: count }, (_, index) =>
        audit.record({ actor: 'anna', action: 'provider-key.used', subject: 'openai', details: { turns: index } })
      )
    )
    await audit.stop()
  }
  return { options, failures, file, intrude, write, folder, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

describe('audit log', () => {
  it('goes on where it left off, and verifies while it is open', async () => {
    await using log = await setUp()
    await log.write(3)
    const audit = await openAudit(log.options)
    await audit.record({ actor: 'service', action: 'service.started', subject: 'service' })
    await expect(verifyAudit(log.options)).resolves.toMatchObject({ ok: true, entries: 4 })
    await audit.stop()
    await expect(verifyAudit(log.options)).resolves.toMatchObject({ ok: true, entries: 4, brokenAt: null })
    expect(log.failures).toEqual([])
  })

  it('refuses to change or remove an entry', async () => {
    await using log = await setUp()
    await log.write(2)
    const key = (await readFile(join(log.folder.path, 'store.key'), 'utf8')).trim()
    const { database } = openDatabase({ file: log.file, key, migrations: ['SELECT 1'], now: 0, shared: true })
    expect(() => database.exec(`UPDATE entry SET actor = 'bob'`)).toThrow('append-only')
    expect(() => database.exec('DELETE FROM entry')).toThrow('append-only')
    database.close()
  })

  it.each([
    ['a changed actor', `UPDATE entry SET actor = 'bob' WHERE n = 2`, 2],
    ['an unknown action', `UPDATE entry SET action = 'nothing.at-all' WHERE n = 3`, 3],
    ['a missing entry', 'DELETE FROM entry WHERE n = 2', 2],
    ['a cut end', 'DELETE FROM entry WHERE n > 3', 4],
    ['an emptied log', 'DELETE FROM entry', 1]
  ])('tells of %s', async (_, sql, brokenAt) => {
    await using log = await setUp()
    await log.write(5)
    await log.intrude(sql)
    await expect(verifyAudit(log.options)).resolves.toMatchObject({ ok: false, brokenAt })
  })

  it('tells of a head that somebody else signed, and bears one that a crash tore', async () => {
    await using log = await setUp()
    await log.write(2)
    const heads = join(log.folder.path, 'audit.heads')
    await appendFile(heads, 'eyJhbGciOiJFZERTQSJ9.e30')
    await expect(verifyAudit(log.options)).resolves.toMatchObject({ ok: true, entries: 2 })
    await writeFile(heads, 'eyJhbGciOiJFZERTQSJ9.e30.AAAA\n')
    await expect(verifyAudit(log.options)).resolves.toMatchObject({ ok: false, reason: expect.stringContaining('not signed') })
  })

  it('says that a damaged file is damaged and leaves it where it is', async () => {
    await using log = await setUp()
    await log.write(2)
    await truncate(log.file, 700)
    await expect(verifyAudit(log.options)).rejects.toMatchObject({ code: 'unavailable' })
    expect(existsSync(log.file)).toBe(true)
  })

  it('holds no readable word on the disk', async () => {
    await using log = await setUp()
    await log.write(2)
    expect((await readFile(log.file)).includes('provider-key')).toBe(false)
  })
})
