// The documents of clients in the service's store. Each shelf (organisation and client) has a word index of its own: a question
// never touches the words of another client, not even to count them.
import type { Store } from '../store/store.ts'
import { clientKey } from './client.ts'
import type { Documents, KeptDocument, NewDocument } from './documents.ts'
import type { DocumentPassage } from './reading/passages.ts'

interface DocumentRow {
  document_id: string
  organisation: string
  client_name: string
  name: string
  origin: 'folder' | 'upload'
  size_bytes: number
  modified_at: number
  added_at: number
  hash: string | null
  state: 'waiting' | 'ready' | 'failed'
  as_of: string
  remarks: string
  passages: number
  shelf_id: number
}

/** Passages that are written in one commit: more would hold up the answers beside it. */
const BATCH = 25

const SELECT = `SELECT d.*, s.organisation, (SELECT count(*) FROM document_passage p WHERE p.document_id = d.document_id) AS passages
  FROM document d JOIN knowledge_shelf s ON s.shelf_id = d.shelf_id`

export function createSqliteDocuments({ database, writer }: Pick<Store, 'database' | 'writer'>): Documents {
  const selectAll = database.prepare<[string], DocumentRow>(`${SELECT} WHERE s.organisation = ? ORDER BY s.client, d.name, d.origin`)
  const selectWaiting = database.prepare<[], DocumentRow>(`${SELECT} WHERE d.state = 'waiting' ORDER BY d.added_at, d.document_id`)
  const selectOne = database.prepare<[string], DocumentRow>(`${SELECT} WHERE d.document_id = ?`)
  const selectShelf = database.prepare<[string, string], number>('SELECT shelf_id FROM knowledge_shelf WHERE organisation = ? AND client = ?').pluck()
  const insertShelf = database.prepare<[string, string]>('INSERT INTO knowledge_shelf (organisation, client) VALUES (?, ?)')
  const upsert = database.prepare<[string, number, string, string, string, number, number, number, string], DocumentRow>(
    `INSERT INTO document (document_id, shelf_id, client_name, name, origin, size_bytes, modified_at, added_at, as_of, state)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')
     ON CONFLICT (shelf_id, origin, name) DO UPDATE SET client_name = excluded.client_name, size_bytes = excluded.size_bytes,
       modified_at = excluded.modified_at, state = 'waiting'
     RETURNING document_id`
  )
  const touch = database.prepare<[number, number, string]>(
    `UPDATE document SET size_bytes = ?, modified_at = ?, state = 'ready' WHERE document_id = ?`
  )
  const unread = database.prepare<[string]>('UPDATE document SET hash = NULL WHERE document_id = ?')
  const finish = database.prepare<[string, string, string, string]>(
    `UPDATE document SET state = 'ready', hash = ?, as_of = ?, remarks = ? WHERE document_id = ?`
  )
  const markFailed = database.prepare<[string, string]>(`UPDATE document SET state = 'failed', hash = NULL, remarks = ? WHERE document_id = ?`)
  const insertPassage = database.prepare<[string, number, string, string, string]>(
    'INSERT INTO document_passage (document_id, ordinal, heading, body, place) VALUES (?, ?, ?, ?, ?)'
  )
  const deletePassages = database.prepare<[string]>('DELETE FROM document_passage WHERE document_id = ?')
  const deleteDocument = database.prepare<[string]>('DELETE FROM document WHERE document_id = ?')

  const shelfOf = (organisation: string, client: string): number => {
    const key = clientKey(client)
    const known = selectShelf.get(organisation, key)
    if (known !== undefined) return known
    const id = Number(insertShelf.run(organisation, key).lastInsertRowid)
    database.exec(`
      CREATE VIRTUAL TABLE ${indexName(id)} USING fts5 (title, heading, body, tokenize = 'porter unicode61 remove_diacritics 2');
      INSERT INTO ${indexName(id)} (${indexName(id)}, rank) VALUES ('secure-delete', 1);`)
    return id
  }
  const indexPassages = (shelf: number) =>
    database.prepare<[number | bigint, string, string, string]>(`INSERT INTO ${indexName(shelf)} (rowid, title, heading, body) VALUES (?, ?, ?, ?)`)
  const clear = (id: string, shelf: number): void => {
    database
      .prepare<[string]>(`DELETE FROM ${indexName(shelf)} WHERE rowid IN (SELECT passage_id FROM document_passage WHERE document_id = ?)`)
      .run(id)
    deletePassages.run(id)
    // Until all of it is written: what a crash leaves half is read again.
    unread.run(id)
  }
  const get = (id: string): KeptDocument | null => {
    const row = selectOne.get(id)
    return row === undefined ? null : documentOf(row)
  }
  const insertBatch = (row: DocumentRow, passages: readonly DocumentPassage[], first: number): void => {
    const index = indexPassages(row.shelf_id)
    for (const [offset, { heading, body, place }] of passages.entries()) {
      const { lastInsertRowid } = insertPassage.run(row.document_id, first + offset, heading, body, place)
      index.run(lastInsertRowid, titleWords(row.name), heading, body)
    }
  }

  return {
    list: async (organisation) => selectAll.all(organisation).map(documentOf),
    waiting: async () => selectWaiting.all().map(documentOf),
    get: async (id) => get(id),
    expect: (document: NewDocument) =>
      writer.write(() => {
        const { id, organisation, client, name, origin, sizeBytes, modifiedAt, addedAt, date } = document
        const row = upsert.get(id, shelfOf(organisation, client), client, name, origin, sizeBytes, modifiedAt, addedAt, date)
        const kept = get(row?.document_id ?? id)
        if (kept === null) throw new Error('A document was not kept')
        return kept
      }),
    keep: (id, { sizeBytes, modifiedAt }) =>
      writer.write(() => {
        touch.run(sizeBytes, modifiedAt, id)
      }),
    async replace(id, { hash, date, passages, remarks }, signal) {
      for (let first = 0; first === 0 || first < passages.length; first += BATCH) {
        signal.throwIfAborted()
        await writer.write(() => {
          const row = selectOne.get(id)
          // Removed meanwhile.
          if (row === undefined) return
          if (first === 0) clear(id, row.shelf_id)
          insertBatch(row, passages.slice(first, first + BATCH), first)
        })
      }
      await writer.write(() => {
        finish.run(hash, date, JSON.stringify(remarks), id)
      })
    },
    fail: (id, remarks) =>
      writer.write(() => {
        markFailed.run(JSON.stringify(remarks), id)
      }),
    remove: (id) =>
      writer.write(() => {
        const row = selectOne.get(id)
        if (row === undefined) return
        clear(id, row.shelf_id)
        deleteDocument.run(id)
      })
  }
}

/** The words of a shelf. Its id is a number that SQLite gave. */
export function indexName(shelf: number): string {
  return `document_index_${Math.trunc(shelf)}`
}

/** `Offers/2025_price-list.csv` is found by "price list". */
function titleWords(name: string): string {
  return name.replace(/\.[a-z0-9]+$/i, '').replace(/[_/\\.-]+/g, ' ')
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
