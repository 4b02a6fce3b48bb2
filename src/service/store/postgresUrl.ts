// DATABASE_URL as PostgreSQL's own clients read it: where the server is, who asks, and how far its certificate is trusted.
import { readFileSync } from 'node:fs'
import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import { CopilotError } from '../../shared/errors.ts'

export interface PostgresAddress {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
  /** False: without TLS. */
  readonly ssl: false | ConnectionOptions
  /** What may be told to people and logs: never the password. */
  readonly label: string
}

/** libpq's, without those that try both ways: what is asked for is done or refused. */
const sslModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const
const parameters: ReadonlySet<string> = new Set(['sslmode', 'sslrootcert', 'host'])

/**
 * `postgres://user:password@host:5432/database?sslmode=verify-full`; `?host=/var/run/postgresql` for a Unix socket. Throws
 * `invalid_request` with one line that names DATABASE_URL and not what is in it.
 */
export function readPostgresUrl(text: string): PostgresAddress {
  const url = URL.parse(text)
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw bad('must be an address such as postgres://user:password@host:5432/database')
  }
  const unknown = [...url.searchParams.keys()].find((name) => !parameters.has(name))
  if (unknown !== undefined) throw bad(`has a parameter that is not known; known are ${[...parameters].join(', ')}`)
  const host = url.searchParams.get('host') ?? url.hostname.replace(/^\[(.+)\]$/, '$1')
  const database = decoded(url.pathname.slice(1))
  const user = decoded(url.username)
  if (host === '') throw bad('names no host')
  if (user === '') throw bad('names no user')
  if (database === '' || database.includes('/')) throw bad('names no database')
  const port = url.port === '' ? 5432 : Number(url.port)
  const label = host.startsWith('/') ? `${host}/${database}` : `${host}:${port}/${database}`
  return { host, port, database, user, password: decoded(url.password), ssl: sslOf(url, host), label }
}

function sslOf({ searchParams }: URL, host: string): false | ConnectionOptions {
  const asked = searchParams.get('sslmode') ?? 'disable'
  const mode = sslModes.find((known) => known === asked)
  if (mode === undefined) throw bad(`asks for an sslmode that is not one of ${sslModes.join(', ')}`)
  const file = searchParams.get('sslrootcert')
  if (file !== null && (mode === 'disable' || mode === 'require')) throw bad('has an sslrootcert, which needs sslmode verify-ca or verify-full')
  switch (mode) {
    case 'disable':
      return false
    case 'require':
      // Encrypted, whoever is at the other end.
      return { rejectUnauthorized: false }
    case 'verify-ca':
      return { rejectUnauthorized: true, checkServerIdentity: () => undefined, ...authority(file) }
    case 'verify-full':
      return { rejectUnauthorized: true, checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate), ...authority(file) }
  }
}

function authority(file: string | null): { ca?: string } {
  if (file === null) return {}
  try {
    return { ca: readFileSync(file, 'utf8') }
  } catch (error) {
    throw bad(`names an sslrootcert that can’t be read, ${file}`, error)
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw bad('has a % that is no escape; write a % of the password as %25', error)
  }
}

function bad(problem: string, cause?: unknown): CopilotError {
  return new CopilotError('invalid_request', `Configuration: DATABASE_URL ${problem}.`, { cause })
}
