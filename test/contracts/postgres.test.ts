// The connection to a real PostgreSQL: what goes wrong is one sentence, what comes back goes on, and tables are made once.
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openPostgres, type PostgresOptions } from '../../src/service/store/postgres.ts'
import { tempFolder } from '../fakes/service-parts.ts'
import { usePostgres } from '../fakes/service-postgres.ts'
import { startPostgres } from '../servers/postgres.ts'

const options = (url: string, part: Partial<PostgresOptions> = {}): PostgresOptions => ({ url, instance: 'one', onFault: () => undefined, ...part })

/** What somebody reads who can't connect. */
async function refusal(url: string, part: Partial<PostgresOptions> = {}): Promise<{ code: string; message: string; all: string }> {
  try {
    const postgres = await openPostgres(options(url, part))
    await postgres.stop()
    return { code: '', message: '', all: '' }
  } catch (error) {
    const { code, message, cause, stack } = error as Error & { code: string }
    return { code, message, all: `${message} ${stack} ${String(cause)} ${JSON.stringify(cause)}` }
  }
}

describe('PostgreSQL', () => {
  const { server, shared } = using()

  it('is refused in one sentence that says what to do, and never the password', async () => {
    const cases: [string, string, Partial<PostgresOptions>?][] = [
      [server().url({ password: 'hunter2' }), 'refuses the user or the password'],
      [server().url({ user: 'nobody', password: 'hunter2' }), 'refuses the user or the password'],
      [server().url({ database: 'nowhere' }), 'There is no such database'],
      [server().url({ query: '?sslmode=require' }), 'speaks no TLS'],
      ['postgres://a:hunter2@127.0.0.1:1/d', 'can’t be reached (ECONNREFUSED)'],
      ['postgres://a:hunter2@no-such-host.invalid/d', 'can’t be reached'],
      ['postgres://a:hunter2@h/d?host=/nowhere', 'can’t be reached'],
      [server().url(), 'Upgrade it', { oldestVersion: 990_000 }]
    ]
    const password = new URL(server().url()).password
    for (const [url, words, part] of cases) {
      const { code, message, all } = await refusal(url, part)
      expect(message).toContain(words)
      expect(message.split('\n')).toHaveLength(1)
      expect(code).toMatch(/^(?:unavailable|conflict)$/)
      expect(all).not.toContain('hunter2')
      expect(all).not.toContain(password)
    }
  })

  it('makes its tables once, however many services start at once, and again changes nothing', async () => {
    const url = await server().database()
    const all = await Promise.all(Array.from({ length: 5 }, (_, index) => openPostgres(options(url, { instance: `i${index}`, poolSize: 2 }))))
    expect(await all[0]?.rows('SELECT DISTINCT step, count(*) FROM aside_step GROUP BY step HAVING count(*) > 1')).toEqual([])
    expect(await all[0]?.rows('SELECT instance FROM service_instance ORDER BY 1')).toHaveLength(5)
    for (const one of all) await one.stop()
    const again = await openPostgres(options(url))
    expect(await again.rows('SELECT instance FROM service_instance')).toEqual([{ instance: 'one' }])
    await again.count('INSERT INTO aside_step (step) VALUES (999)')
    await again.stop()
    expect((await refusal(url)).message).toContain('newer version')
  })

  it('wants a database in UTF-8', async () => {
    await server().run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    expect((await refusal(server().url({ database: 'latin' }))).message).toContain('encoded in LATIN1')
  })

  it('keeps any text, and numbers as they were', async () => {
    await using database = await shared()
    const { postgres } = database
    const texts = ['', '\u0000', 'a\u0000b', '\ufdd0', '"\'\\;--', '<script>', '\u0001\u001b[31m', '😀'.repeat(50_000)]
    for (const text of texts)
      expect(await postgres.rows('SELECT $1::text AS kept, $2::text[] AS list', [text, [text, null]])).toMatchObject([{ kept: text }])
    expect(await postgres.rows('SELECT $1::text AS kept', ['\ud800'])).toEqual([{ kept: '\ufffd' }])
    expect(await postgres.rows('SELECT $1::bigint AS kept', [Number.MAX_SAFE_INTEGER])).toEqual([{ kept: Number.MAX_SAFE_INTEGER }])
    await expect(postgres.rows('SELECT 9007199254740993::bigint AS kept')).rejects.toThrow(RangeError)
    // The connection is as good as before.
    expect(await postgres.rows('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('undoes what failed half-way, and does again what collided', async () => {
    await using database = await shared()
    const { postgres } = database
    const put = 'INSERT INTO account (user_id, organisation) VALUES ($1, $2)'
    await expect(
      postgres.transaction(async (queries) => {
        await queries.count(put, ['anna', 'north'])
        throw new Error('a bug')
      })
    ).rejects.toThrow('a bug')
    expect(await postgres.rows('SELECT * FROM account')).toEqual([])
    await postgres.count(put, ['a', '0'])
    await postgres.count(put, ['b', '0'])
    // Each takes the one first that the other takes last: a deadlock, which the server breaks.
    const both = [['a', 'b'], ['b', 'a']].map((order) =>
      postgres.transaction(async (queries) => {
        for (const userId of order) await queries.count('UPDATE account SET organisation = (organisation::int + 1)::text WHERE user_id = $1', [userId])
      })
    ) // prettier-ignore
    await Promise.all(both)
    expect(await postgres.rows('SELECT organisation FROM account')).toEqual([{ organisation: '2' }, { organisation: '2' }])
  })

  it('ends a statement that takes too long, and waits for no connection for ever', async () => {
    await using database = await shared({ statementTimeoutMs: 200, connectTimeoutMs: 300, poolSize: 2 })
    const { postgres } = database
    const failure = { code: 'unavailable', retryAfterMs: expect.any(Number) }
    await expect(postgres.rows('SELECT pg_sleep(5)')).rejects.toMatchObject({ ...failure, message: expect.stringContaining('too long') })
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => postgres.rows('SELECT pg_sleep(0.15)')))
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(12)
    for (const { reason } of refused) expect(reason).toMatchObject(failure)
    await postgres.probe()
  })

  it('says that the server is away while it is, and goes on when it is back', async () => {
    await using own = await startPostgres()
    const faults: unknown[] = []
    const postgres = await openPostgres(options(await own.database(), { beatEveryMs: 50, onFault: (error) => faults.push(error) }))
    await postgres.count("INSERT INTO account VALUES ('anna', 'north')")
    const under = postgres.rows('SELECT pg_sleep(30)').catch((error: unknown) => error)
    const half = postgres.transaction(async (queries) => {
      await queries.count("INSERT INTO account VALUES ('half', 'done')")
      await own.halt()
      await queries.count("INSERT INTO account VALUES ('other', 'half')")
    })
    await expect(half).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 2_000 })
    expect(await under).toMatchObject({ code: 'unavailable' })
    await expect(postgres.rows('SELECT 1')).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('can’t be reached') })
    await expect(postgres.probe()).rejects.toMatchObject({ code: 'unavailable' })
    await own.resume()
    await postgres.probe()
    expect(await postgres.rows('SELECT * FROM account')).toEqual([{ user_id: 'anna', organisation: 'north' }])
    await own.halt()
    // To stop while it is away is no fault of the service.
    await postgres.stop()
    expect(faults.length).toBeGreaterThan(0)
    expect(faults.every((fault) => (fault as { code: string }).code === 'unavailable')).toBe(true)
  })

  it('speaks TLS and trusts as DATABASE_URL says', async () => {
    await using folder = await tempFolder()
    const at = (name: string): string => join(folder.path, name)
    const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'ignore' })
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=127.0.0.1',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      at('key'),
      '-out',
      at('crt')
    )
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=elsewhere', '-keyout', at('other-key'), '-out', at('other'))
    const [certificate, key] = [await readFile(at('crt'), 'utf8'), await readFile(at('key'), 'utf8')]
    await using own = await startPostgres({ tls: { certificate, key } })
    const trusting = (query: string) => refusal(own.url({ query }))
    const isTls = async (query: string): Promise<unknown> => {
      const postgres = await openPostgres(options(own.url({ query })))
      const [row] = await postgres.rows<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
      await postgres.stop()
      return row?.ssl
    }
    expect(await isTls('')).toBe(false)
    expect(await isTls('?sslmode=require')).toBe(true)
    expect(await isTls(`?sslmode=verify-full&sslrootcert=${at('crt')}`)).toBe(true)
    expect((await trusting('?sslmode=verify-full')).message).toContain('not trusted')
    expect((await trusting(`?sslmode=verify-ca&sslrootcert=${at('other')}`)).message).toContain('not trusted')
  })
})

/** The server is only there once the tests run. */
function using() {
  const here = usePostgres()
  return { server: () => here.server, shared: here.shared }
}
