// A person's rights over their data: everything the service keeps of somebody can be taken out, and erased. Each store that
// keeps something of persons registers here, so that none is forgotten.
import type { Audit } from '../audit/audit.ts'
import { pseudonymOf as pseudonym } from '../audit/pseudonym.ts'
import type { Decisions } from '../decisions/decisions.ts'

export interface PersonalStore {
  /** What it keeps, as it is called in the export: `turns`, `messages`. Two places of one thing have one name. */
  readonly name: string
  /** Everything of this person, oldest first. */
  read(userId: string): Promise<Iterable<object>> | AsyncIterable<object>
  /** Removes it for good. Resolves with the number of things removed. */
  erase(userId: string): Promise<number>
}

/** Past decisions in a database of their own. */
export function personalDecisions(decisions: Pick<Decisions, 'of' | 'erase'>): PersonalStore {
  return {
    name: 'decisions',
    async *read(userId) {
      for (const record of await decisions.of(userId)) yield { record }
    },
    erase: (userId) => decisions.erase(userId)
  }
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
      const names = [...new Set(stores.map(({ name }) => name))]
      yield `${JSON.stringify({ format: 'aside-person', version: 1, userId, stores: names })}\n`
      for (const store of stores) {
        for await (const value of await store.read(userId)) yield `${JSON.stringify({ store: store.name, value })}\n`
      }
    },
    async erase(userId, actor) {
      await stopTurns(userId)
      const counts: Record<string, number> = {}
      for (const { name, erase } of stores) counts[name] = (counts[name] ?? 0) + (await erase(userId))
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
