// Documents of somebody who is an organisation of their own, as the keeper of a person's data sees them.
import { pseudonymOf } from '../audit/pseudonym.ts'
import { ownOrganisation } from '../auth/caller.ts'
import type { PersonalStore } from '../person/person.ts'
import type { Library } from './library.ts'

/** Takes them out with their files and words; what they hold is read from the store. */
export function personalDocuments(library: Pick<Library, 'list' | 'remove'>): PersonalStore {
  return {
    name: 'documents',
    read: async () => [],
    async erase(userId) {
      const organisation = ownOrganisation(userId)
      const own = (await library.list(organisation)).filter(({ origin }) => origin === 'upload')
      for (const { id } of own) await library.remove({ organisation, actor: pseudonymOf(userId), id })
      return own.length
    }
  }
}
