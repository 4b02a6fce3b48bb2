// What limits keep in the service's store: overrides, and whose users are whose.
import type { Store } from '../store/store.ts'
import type { Accounts } from './accounts.ts'
import type { Override, OverrideStore } from './overrides.ts'

export function createSqliteOverrides({ database, writer }: Pick<Store, 'database' | 'writer'>): OverrideStore {
  const select = database.prepare<[], Override>('SELECT organisation, until, granted_by AS grantedBy, reason FROM limit_override')
  const replace = database.prepare<[Override]>(
    'INSERT OR REPLACE INTO limit_override (organisation, until, granted_by, reason) VALUES (@organisation, @until, @grantedBy, @reason)'
  )
  const remove = database.prepare<[string]>('DELETE FROM limit_override WHERE organisation = ?')
  return {
    all: async () => select.all(),
    put: (override) => writer.write(() => void replace.run(override)),
    remove: (organisation) => writer.write(() => void remove.run(organisation))
  }
}

/** Users whose organisation is kept in memory as well. */
const REMEMBERED = 10_000

export function createSqliteAccounts({ database, writer }: Pick<Store, 'database' | 'writer'>): Accounts {
  const select = database.prepare<[string], { organisation: string }>('SELECT organisation FROM account WHERE user_id = ?')
  const replace = database.prepare<[string, string]>('INSERT OR REPLACE INTO account (user_id, organisation) VALUES (?, ?)')
  const known = new Map<string, string>()

  const organisationOf = (userId: string): string | null => {
    const remembered = known.get(userId) ?? select.get(userId)?.organisation
    if (remembered === undefined) return null
    if (known.size >= REMEMBERED) known.clear()
    known.set(userId, remembered)
    return remembered
  }
  return {
    organisationOf: async (userId) => organisationOf(userId),
    forget: (userId) => void known.delete(userId),
    async remember(userId, organisation) {
      if (organisationOf(userId) === organisation) return
      await writer.write(() => void replace.run(userId, organisation))
      known.set(userId, organisation)
    }
  }
}
