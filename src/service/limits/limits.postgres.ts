// What limits keep in the shared PostgreSQL: overrides, and whose users are whose.
import type { PostgresQueries } from '../store/postgres.ts'
import type { Accounts } from './accounts.ts'
import type { Override, OverrideStore } from './overrides.ts'

export function createPostgresOverrides(postgres: PostgresQueries): OverrideStore {
  return {
    all: () => postgres.rows<Override>('SELECT organisation, until, granted_by AS "grantedBy", reason FROM limit_override ORDER BY organisation'),
    async put({ organisation, until, grantedBy, reason }) {
      await postgres.count(
        `INSERT INTO limit_override (organisation, until, granted_by, reason) VALUES ($1, $2, $3, $4)
         ON CONFLICT (organisation) DO UPDATE SET until = excluded.until, granted_by = excluded.granted_by, reason = excluded.reason`,
        [organisation, until, grantedBy, reason]
      )
    },
    async remove(organisation) {
      await postgres.count('DELETE FROM limit_override WHERE organisation = $1', [organisation])
    }
  }
}

/** Users whose organisation is kept in memory as well. */
const REMEMBERED = 10_000

export function createPostgresAccounts(postgres: PostgresQueries): Accounts {
  /** What this process itself was told last; it is told before each answer, so what others were told meanwhile changes nothing here. */
  const known = new Map<string, string>()
  const learn = (userId: string, organisation: string): void => {
    if (known.size >= REMEMBERED) known.clear()
    known.set(userId, organisation)
  }
  return {
    async organisationOf(userId) {
      const remembered = known.get(userId)
      if (remembered !== undefined) return remembered
      const [row] = await postgres.rows<{ organisation: string }>('SELECT organisation FROM account WHERE user_id = $1', [userId])
      return row?.organisation ?? null
    },
    forget: (userId) => void known.delete(userId),
    async remember(userId, organisation) {
      if (known.get(userId) === organisation) return
      await postgres.count(
        'INSERT INTO account (user_id, organisation) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET organisation = excluded.organisation',
        [userId, organisation]
      )
      learn(userId, organisation)
    }
  }
}
