// A shared PostgreSQL for tests of adapters: one server and one database for a test file, emptied for each test, several instances on it.
// (Measured: a database made and migrated for each test takes 0.7 s with fsync on, emptying one 15 ms.)
import { afterAll, beforeAll } from 'vitest'
import { openPostgres, type Postgres, type PostgresOptions } from '../../src/service/store/postgres.ts'
import { startPostgres, type PostgresServer } from '../servers/postgres.ts'

export interface SharedDatabase extends AsyncDisposable {
  readonly url: string
  readonly postgres: Postgres
  /** What was told to the log. */
  readonly faults: readonly unknown[]
  /** Another service on the same database. */
  join(instance: string): Promise<Postgres>
  /** As if everybody had been running for long, and this one had fallen silent. */
  silence(instance: string): Promise<void>
}

/** Also the audit log, past the triggers that keep it; one row each says where a chain or a count stands. */
const EMPTY = `DO $$
  DECLARE one text;
  BEGIN
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('aside_step', 'service_instance') LOOP
      EXECUTE format('DELETE FROM %I', one);
    END LOOP;
    DELETE FROM service_instance WHERE instance <> 'one';
    INSERT INTO audit_tail VALUES (0, '');
    INSERT INTO knowledge_revision VALUES (0);
  END $$`

/** Starts the server before the tests of this file and stops it after them. */
export function usePostgres(): { readonly server: PostgresServer; shared(options?: Partial<PostgresOptions>): Promise<SharedDatabase> } {
  let server: PostgresServer | null = null
  let made: Promise<string> | null = null
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })
  const running = (): PostgresServer => {
    if (server === null) throw new Error('PostgreSQL has not been started')
    return server
  }
  return {
    get server() {
      return running()
    },
    async shared(options = {}) {
      const url = await (made ??= running().database())
      const faults: unknown[] = []
      const opened: Postgres[] = []
      const join = async (instance: string): Promise<Postgres> => {
        const postgres = await openPostgres({ url, instance, poolSize: 4, onFault: (error) => faults.push(error), ...options })
        opened.push(postgres)
        return postgres
      }
      const postgres = await join('one')
      await postgres.count(EMPTY)
      return {
        url,
        postgres,
        faults,
        join,
        async silence(instance) {
          await postgres.count("UPDATE service_instance SET since = since - interval '1 hour'")
          await postgres.count("UPDATE service_instance SET seen_at = seen_at - interval '1 minute' WHERE instance = $1", [instance])
        },
        async [Symbol.asyncDispose]() {
          for (const one of opened) await one.stop()
        }
      }
    }
  }
}
