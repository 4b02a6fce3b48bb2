// DATABASE_URL: what it may say, and that a wrong one is refused in one line which holds no secret.
import { describe, expect, it } from 'vitest'
import { fromKept, toKept } from './postgresText.ts'
import { readPostgresUrl } from './postgresUrl.ts'

describe('DATABASE_URL', () => {
  it('names server, database, user and password', () => {
    expect(readPostgresUrl('postgres://ana:p%40ss%2Fw%25rd@db.example:6432/aside%20one')).toEqual({
      host: 'db.example',
      port: 6432,
      database: 'aside one',
      user: 'ana',
      password: 'p@ss/w%rd',
      ssl: false,
      label: 'db.example:6432/aside one'
    })
    expect(readPostgresUrl('postgresql://ana@[::1]/aside')).toMatchObject({ host: '::1', port: 5432, password: '' })
    expect(readPostgresUrl('postgres://ana@localhost/aside?host=/run/postgresql')).toMatchObject({
      host: '/run/postgresql',
      label: '/run/postgresql/aside'
    })
  })

  it('trusts as it is told', () => {
    const ssl = (query: string) => readPostgresUrl(`postgres://a:b@h/d?${query}`).ssl
    expect(ssl('sslmode=disable')).toBe(false)
    expect(ssl('sslmode=require')).toEqual({ rejectUnauthorized: false })
    expect(ssl('sslmode=verify-full')).toMatchObject({ rejectUnauthorized: true })
    expect(ssl('sslmode=verify-ca')).toMatchObject({ rejectUnauthorized: true })
  })

  it.each([
    ['', 'must be an address'],
    ['hunter2', 'must be an address'],
    ['mysql://a:hunter2@h/d', 'must be an address'],
    ['postgres://:hunter2@h/d', 'names no user'],
    ['postgres://a:hunter2@h', 'names no database'],
    ['postgres://a:hunter2@h/a/b', 'names no database'],
    ['postgres://a:hunter2%@h/d', 'no escape'],
    ['postgres://a:hunter2@h/d?sslmode=prefer', 'sslmode'],
    ['postgres://a:hunter2@h/d?hunter2=1', 'parameter'],
    ['postgres://a:hunter2@h/d?sslmode=require&sslrootcert=/nowhere', 'needs sslmode'],
    ['postgres://a:hunter2@h/d?sslmode=verify-ca&sslrootcert=/nowhere', 'can’t be read'],
    [`postgres://a:hunter2@h/${'x'.repeat(200_000)}\u0000\ud800%`, 'no escape']
  ])('%# is refused in one line, without what is in it', (url, words) => {
    let said = ''
    try {
      readPostgresUrl(url)
    } catch (error) {
      said = String(error)
    }
    expect(said).toContain('DATABASE_URL')
    expect(said).toContain(words)
    expect(said).not.toMatch(/hunter2|\n/)
  })
})

describe('text that PostgreSQL keeps', () => {
  it.each(['', 'plain', '\u0000', 'a\u0000b\u0000', '\ufdd0', '\ufdd00', '\ufdd0m\u0000', '\u0000\ufdd0\ufdd0m0'])(
    'comes back as it was: %j',
    (text) => {
      expect(toKept(text)).not.toContain('\u0000')
      expect(fromKept(toKept(text))).toBe(text)
    }
  )
  it('stays different where it was different', () => {
    const texts = ['\u0000', '\ufdd0', '\ufdd00', '\ufdd0m', '0', 'm', '\ufdd0\u0000']
    expect(new Set(texts.map(toKept)).size).toBe(texts.length)
  })
})
