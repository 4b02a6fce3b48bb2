// The PostgreSQL that several services share: a bounded pool, statements that end, one tongue for what goes wrong.
import { Pool, types, type PoolClient } from 'pg'
import { CopilotError } from '../../shared/errors.ts'
import { isCollision, toPostgresFault } from './postgresFaults.ts'
import { migrate } from './postgresMigrations.ts'
import { fromKept, toKept } from './postgresText.ts'
import { readPostgresUrl } from './postgresUrl.ts'

export type PostgresValue = string | number | boolean | null | readonly (string | null)[] | readonly number[]

export interface PostgresQueries {
  /** Rows of one statement. Numbers are JavaScript's: a bigint beyond what a double holds throws. */
  rows<Row extends object>(sql: string, values?: readonly PostgresValue[]): Promise<Row[]>
  /** How many rows the statement touched. */
  count(sql: string, values?: readonly PostgresValue[]): Promise<number>
}

/** Every promise rejects with `unavailable` (and when to try again) while the server is away, and works again when it is back. */
export interface Postgres extends PostgresQueries {
  /** This service's name on the database: what it has claimed is its own, also after a restart. */
  readonly instance: string
  /** Host, port and database, for people. */
  readonly label: string
  /** All or nothing. `work` may run again when it collided with another; it must only touch the database. */
  transaction<T>(work: (queries: PostgresQueries) => Promise<T>): Promise<T>
  /** Resolves when the server has just taken a write. */
  probe(): Promise<void>
  /** Ends what waits for a connection, and closes them all. Twice is once. */
  stop(): Promise<void>
}

export interface PostgresOptions {
  readonly url: string
  readonly instance: string
  /** A connection that nobody used broke off, or the sign of life could not be given; told to the log. */
  readonly onFault: (error: unknown) => void
  readonly poolSize?: number
  /** A statement that takes longer is stopped by the server. */
  readonly statementTimeoutMs?: number
  readonly connectTimeoutMs?: number
  readonly beatEveryMs?: number
  /** `server_version_num` of the oldest that will do. */
  readonly oldestVersion?: number
}

const POOL_SIZE = 10
const STATEMENT_TIMEOUT_MS = 10_000
const CONNECT_TIMEOUT_MS = 5_000
const IDLE_MS = 30_000
const BEAT_EVERY_MS = 3_000
const COLLISIONS = 5
/** The oldest that its makers keep as this is written is 14; what is used here came with 13. */
const OLDEST_VERSION = 130_000

const TEXT: number = types.builtins.TEXT
const BIGINT: number = types.builtins.INT8

function parserOf(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === TEXT) return fromKept
  if (oid === BIGINT) return wholeNumber
  return types.getTypeParser(oid, format ?? 'text') as (value: string) => unknown
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is more than a number can hold`)
  return value
}

/** The caller stops it. Brings the tables up to date first. Throws `CopilotError` with one sentence when it can't be used. */
export async function openPostgres(options: PostgresOptions): Promise<Postgres> {
  const { instance, onFault, statementTimeoutMs = STATEMENT_TIMEOUT_MS } = options
  const { label, ...address } = readPostgresUrl(options.url)
  const pool = new Pool({
    ...address,
    max: options.poolSize ?? POOL_SIZE,
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_MS,
    statement_timeout: statementTimeoutMs,
    // A server that went without a word would be waited for as long as TCP does.
    query_timeout: statementTimeoutMs * 2,
    idle_in_transaction_session_timeout: statementTimeoutMs * 2,
    keepAlive: true,
    application_name: 'aside',
    types: { getTypeParser: parserOf }
  })
  pool.on('error', (error) => onFault(toPostgresFault(error, label)))
  // A connection that breaks off between two statements of a transaction says so to nobody else; unheard, it would end the process.
  pool.on('connect', (client) => client.on('error', (error) => onFault(toPostgresFault(error, label))))

  const told = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw toPostgresFault(error, label)
    }
  }
  const over = queriesOf(pool)
  const beat = (): Promise<number> => over.count('SELECT service_beat($1)', [instance])

  try {
    await told(async () => {
      await requireVersion(over, { oldest: options.oldestVersion ?? OLDEST_VERSION, label })
      await migrate(pool, label)
      await beat()
    })
  } catch (error) {
    await pool.end()
    throw error
  }
  let beating: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    beating = told(beat).catch(onFault)
  }, options.beatEveryMs ?? BEAT_EVERY_MS).unref()

  const stop = async (): Promise<void> => {
    clearInterval(timer)
    await beating
    // Whatever it had claimed is anybody's from now on; where the server is away, the silence tells.
    await told(() => over.count('DELETE FROM service_instance WHERE instance = $1', [instance])).catch(onFault)
    await pool.end()
  }
  let stopping: Promise<void> | null = null

  return {
    instance,
    label,
    rows: <Row extends object>(sql: string, values?: readonly PostgresValue[]) => told(() => persistently(() => over.rows<Row>(sql, values))),
    count: (sql, values) => told(() => persistently(() => over.count(sql, values))),
    transaction: (work) => told(() => persistently(() => transact(pool, work))),
    probe: async () => {
      await told(beat)
    },
    stop: () => (stopping ??= stop())
  }
}

/** Who collided has done nothing: the same again. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (!isCollision(error) || tries >= COLLISIONS) throw error
    }
  }
}

async function transact<T>(pool: Pool, work: (queries: PostgresQueries) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken = false
  try {
    await client.query('BEGIN')
    const result = await work(queriesOf(client))
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {
      // The connection is gone, and the transaction with it.
      broken = true
    })
    throw error
  } finally {
    client.release(broken)
  }
}

/** Statements are planned once for each connection. */
const names = new Map<string, string>()
function nameOf(sql: string): string {
  const known = names.get(sql) ?? `aside_${names.size}`
  names.set(sql, known)
  return known
}

function queriesOf(client: Pool | PoolClient): PostgresQueries {
  const query = (sql: string, values: readonly PostgresValue[]) => client.query({ name: nameOf(sql), text: sql, values: values.map(keptValue) })
  return {
    rows: async <Row extends object>(sql: string, values: readonly PostgresValue[] = []) => (await query(sql, values)).rows as Row[],
    count: async (sql, values = []) => (await query(sql, values)).rowCount ?? 0
  }
}

function keptValue(value: PostgresValue): PostgresValue {
  if (typeof value === 'string') return toKept(value)
  return Array.isArray(value) ? value.map((one) => (typeof one === 'string' ? toKept(one) : one)) : value
}

async function requireVersion(queries: PostgresQueries, { oldest, label }: { oldest: number; label: string }): Promise<void> {
  const [found] = await queries.rows<{ version: number; encoding: string }>(
    "SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding"
  )
  if (found === undefined || found.version < oldest) {
    const major = (version: number): number => Math.trunc(version / 10_000)
    throw new CopilotError(
      'conflict',
      `PostgreSQL at ${label} is version ${major(found?.version ?? 0)}; Aside needs ${major(oldest)} or newer. Upgrade it, or use another server.`
    )
  }
  if (found.encoding !== 'UTF8') {
    throw new CopilotError('conflict', `The database at ${label} is encoded in ${found.encoding}; Aside needs UTF8. Make one with createdb -E UTF8.`)
  }
}
