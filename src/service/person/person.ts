// A person's rights over their data: everything the service keeps of somebody can be taken out, and erased. Each store that
// keeps something of persons registers here, so that none is forgotten.
import type { Audit } from '../audit/audit.ts'
import { pseudonymOf as pseudonym } from '../audit/pseudonym.ts'

export interface PersonalStore {
  /** What it keeps, as it is called in the export: `turns`, `messages`. */
  readonly name: string
  /** Everything of this person, oldest first. */
  read(userId: string): Promise<Iterable<object>> | AsyncIterable<object>
  /** Removes it for good. Resolves with the number of things removed. */
  erase(userId: string): Promise<number>
}

export interface PersonOptions {
  readonly stores: readonly PersonalStore[]
  readonly audit: Audit
  /** Stops what is being answered for the person, so that nothing is written after the erasure. */
  readonly stopTurns: (userId: string) => Promise<void>
  /** Called after an erasure: writes over what deleted rows left in the file and its log. */
  readonly compact: () => Promise<void>
}

export interface Person {
  /** Lines of JSON: first `{"format":"aside-person","version":1,"userId":…}`, then `{"store":…,"value":{…}}` each. */
  export(userId: string, actor: string): AsyncIterable<string>
  /** Counts by store. The audit log keeps ids of what was done, never content. */
  erase(userId: string, actor: string): Promise<Readonly<Record<string, number>>>
}

export function createPerson({ stores, audit, stopTurns, compact }: PersonOptions): Person {
  return {
    async *export(userId, actor) {
      await audit.record({ actor, action: 'person.exported', subject: pseudonym(userId) })
      yield `${JSON.stringify({ format: 'aside-person', version: 1, userId, stores: stores.map(({ name }) => name) })}\n`
      for (const store of stores) {
        for await (const value of await store.read(userId)) yield `${JSON.stringify({ store: store.name, value })}\n`
      }
    },
    async erase(userId, actor) {
      await stopTurns(userId)
      const counts: Record<string, number> = {}
      for (const store of stores) counts[store.name] = await store.erase(userId)
      await compact()
      await audit.record({
        actor: actor === userId ? pseudonym(userId) : actor,
        action: 'person.erased',
        subject: pseudonym(userId),
        details: counts
      })
      return counts
    }
  }
}
