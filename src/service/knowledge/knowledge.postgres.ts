// The knowledge base of a service that shares its documents: the words are looked up in an index of its own, which follows the documents
// in PostgreSQL. So finding is the same, and as quick, whether documents are shared or not (docs/adr/0040).
import type { Clock } from '../../shared/kit/clock.ts'
import type { Postgres } from '../store/postgres.ts'
import type { Documents, NewDocument } from './documents.ts'
import type { Knowledge } from './knowledge.ts'
import type { DocumentPassage } from './reading/passages.ts'

export interface FollowingOptions {
  readonly postgres: Postgres
  /** The index of this service alone. */
  readonly own: {
    readonly knowledge: Knowledge
    readonly documents: Documents
    /** Hash by id, of all that is in it. */
    readonly hashes: () => Promise<ReadonlyMap<string, string | null>>
    /** After a document was taken in. */
    readonly onChanged: () => void
  }
  readonly clock: Clock
  /** The documents could not be followed for now; what is in the index is found all the same. */
  readonly onFault: (error: unknown) => void
}

export interface FollowingKnowledge extends Knowledge {
  /** Resolves when the index has what was shared when it was called. */
  follow(): Promise<void>
  stop(): Promise<void>
}

const LOOK_EVERY_MS = 1_000
/** A question waits no longer than this for the index to catch up. */
const PATIENCE_MS = 500

type SharedDocument = Omit<NewDocument, 'id'> & { readonly id: string; readonly revision: number }

/** The caller stops it. */
export function followKnowledge({ postgres, own, clock, onFault }: FollowingOptions): FollowingKnowledge {
  const stopping = new AbortController()
  const { signal } = stopping
  let seen = -1
  let lookedAt = Number.NEGATIVE_INFINITY
  let following: Promise<void> | null = null

  const take = async ({ revision, ...document }: SharedDocument): Promise<void> => {
    const passages = await postgres.rows<DocumentPassage>(
      'SELECT heading, body, place FROM document_passage WHERE document_id = $1 ORDER BY ordinal',
      [document.id]
    )
    const kept = await own.documents.expect(document)
    await own.documents.replace(kept.id, { hash: hashOf(revision), date: document.date, passages, remarks: [] }, signal)
    own.onChanged()
  }

  const catchUp = async (): Promise<void> => {
    const [now] = await postgres.rows<{ revision: number }>('SELECT revision FROM knowledge_revision')
    const revision = now?.revision ?? 0
    if (revision === seen) return
    const shared = await postgres.rows<SharedDocument>(
      `SELECT document_id AS id, organisation, client_name AS client, name, origin, size_bytes AS "sizeBytes", modified_at AS "modifiedAt",
         added_at AS "addedAt", as_of AS date, revision FROM document WHERE revision > 0 ORDER BY revision`
    )
    const before = await own.hashes()
    const wanted = new Set(shared.map(({ id }) => id))
    // First what is gone: another one may be in its place.
    for (const id of before.keys()) if (!wanted.has(id)) await own.documents.remove(id)
    for (const document of shared) {
      if (signal.aborted) return
      if (before.get(document.id) !== hashOf(document.revision)) await take(document)
    }
    seen = revision
  }
  const follow = (): Promise<void> => {
    lookedAt = clock.now()
    return (following ??= catchUp().finally(() => (following = null)))
  }
  const followQuietly = (): Promise<void> =>
    follow().catch((error: unknown) => {
      if (!signal.aborted) onFault(error)
    })

  void followQuietly()
  return {
    follow,
    async find(query, asking) {
      const since = clock.now() - lookedAt
      if (!signal.aborted && (since >= LOOK_EVERY_MS || since < 0 || following !== null)) await within(followQuietly(), PATIENCE_MS)
      return await own.knowledge.find(query, asking)
    },
    async stop() {
      stopping.abort()
      await following?.catch(() => {
        // Its fault was told where it was begun.
      })
    }
  }
}

function hashOf(revision: number): string {
  return `shared:${revision}`
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([work, promise]).finally(() => clearTimeout(timer))
}
