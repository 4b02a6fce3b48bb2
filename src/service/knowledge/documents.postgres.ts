// The documents of clients in the shared PostgreSQL: what was read from them, for every service to find. A document is replaced as a whole.
import type { Postgres, PostgresQueries } from '../store/postgres.ts'
import { clientKey } from './client.ts'
import type { DocumentOrigin, Documents, DocumentStage, KeptDocument } from './documents.ts'
import type { DocumentPassage } from './reading/passages.ts'

interface DocumentRow {
  readonly document_id: string
  readonly organisation: string
  readonly client_name: string
  readonly name: string
  readonly origin: DocumentOrigin
  readonly size_bytes: number
  readonly modified_at: number
  readonly added_at: number
  readonly hash: string | null
  readonly state: DocumentStage
  readonly as_of: string
  readonly remarks: string
  readonly passages: number
}

/** Passages of one statement: some megabytes at most. */
const BATCH = 500

const SELECT = 'SELECT d.*, (SELECT count(*) FROM document_passage p WHERE p.document_id = d.document_id) AS passages FROM document d'

export function createPostgresDocuments(postgres: Postgres): Documents {
  const select = async (rest: string, values: readonly string[]): Promise<KeptDocument[]> =>
    (await postgres.rows<DocumentRow>(`${SELECT} ${rest}`, values)).map(documentOf)
  const get = async (id: string): Promise<KeptDocument | null> => (await select('WHERE d.document_id = $1', [id]))[0] ?? null
  return {
    list: (organisation) => select('WHERE d.organisation = $1 ORDER BY d.client, d.name, d.origin', [organisation]),
    // Its file lies with the service that took it.
    waiting: () => select("WHERE d.state = 'waiting' AND d.owner = $1 ORDER BY d.added_at, d.document_id", [postgres.instance]),
    get,
    async expect({ id, organisation, client, name, origin, sizeBytes, modifiedAt, addedAt, date }) {
      const [row] = await postgres.rows<{ id: string }>(
        `INSERT INTO document (document_id, organisation, client, client_name, name, origin, size_bytes, modified_at, added_at, as_of, state, owner)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'waiting', $11)
         ON CONFLICT (organisation, client, origin, name) DO UPDATE SET client_name = excluded.client_name, size_bytes = excluded.size_bytes,
           modified_at = excluded.modified_at, state = 'waiting', owner = excluded.owner
         RETURNING document_id AS id`,
        [id, organisation, clientKey(client), client, name, origin, sizeBytes, modifiedAt, addedAt, date, postgres.instance]
      )
      const kept = await get(row?.id ?? id)
      if (kept === null) throw new Error('A document was not kept')
      return kept
    },
    async keep(id, { sizeBytes, modifiedAt }) {
      await postgres.count("UPDATE document SET size_bytes = $2, modified_at = $3, state = 'ready' WHERE document_id = $1", [
        id,
        sizeBytes,
        modifiedAt
      ])
    },
    replace: (id, { hash, date, passages, remarks }, signal) =>
      postgres.transaction(async (queries) => {
        // Two services may have read the same file: one after the other.
        const [known] = await queries.rows('SELECT 1 FROM document WHERE document_id = $1 FOR UPDATE', [id])
        // Removed meanwhile.
        if (known === undefined) return
        await queries.count('DELETE FROM document_passage WHERE document_id = $1', [id])
        for (let first = 0; first < passages.length; first += BATCH) {
          signal.throwIfAborted()
          await insert(queries, id, { passages: passages.slice(first, first + BATCH), first })
        }
        signal.throwIfAborted()
        await queries.count(
          "UPDATE document SET state = 'ready', hash = $2, as_of = $3, remarks = $4, revision = $5 WHERE document_id = $1",
          [id, hash, date, JSON.stringify(remarks), await nextRevision(queries)] // prettier-ignore
        )
      }),
    async fail(id, remarks) {
      await postgres.count("UPDATE document SET state = 'failed', hash = NULL, remarks = $2 WHERE document_id = $1", [id, JSON.stringify(remarks)])
    },
    remove: (id) =>
      postgres.transaction(async (queries) => {
        await queries.count('DELETE FROM document WHERE document_id = $1', [id])
        await nextRevision(queries)
      })
  }
}

async function insert(
  queries: PostgresQueries,
  id: string,
  { passages, first }: { passages: readonly DocumentPassage[]; first: number }
): Promise<void> {
  await queries.count(
    `INSERT INTO document_passage (document_id, ordinal, heading, body, place)
     SELECT $1, * FROM unnest($2::int[], $3::text[], $4::text[], $5::text[])`,
    [
      id,
      passages.map((_, offset) => first + offset),
      passages.map(({ heading }) => heading),
      passages.map(({ body }) => body),
      passages.map(({ place }) => place)
    ]
  )
}

/** Others see that something has changed once this transaction has ended. */
async function nextRevision(queries: PostgresQueries): Promise<number> {
  const [row] = await queries.rows<{ revision: number }>('UPDATE knowledge_revision SET revision = revision + 1 RETURNING revision')
  if (row === undefined) throw new Error('the revision of the knowledge is missing')
  return row.revision
}

function documentOf(row: DocumentRow): KeptDocument {
  return {
    id: row.document_id,
    organisation: row.organisation,
    client: row.client_name,
    name: row.name,
    origin: row.origin,
    sizeBytes: row.size_bytes,
    modifiedAt: row.modified_at,
    addedAt: row.added_at,
    hash: row.hash,
    stage: row.state,
    date: row.as_of,
    passages: row.passages,
    remarks: JSON.parse(row.remarks) as string[]
  }
}
