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

/** Ms, and passages, that one commit may take of the thread that also answers; writing them is half of it, committing them the other. */
const SLICE_MS = 2
const SLICE = 10
/**
 * Passages that are taken out of the index one word at a time, so that nothing of them is left (`secure-delete`). More at once would
 * take half a millisecond each: they are marked, and all that is marked is merged away afterwards, which takes a tenth of the time.
 */
const FEW = 40
/** Passages that are marked and merged away together at the end. */
const MOST_AT_LAST = 400
/** In the place of the hash, while a document is taken out. */
const REMOVING = 'removing'
/** Pages of the index that are merged in one commit. */
const MERGED_PAGES = 1

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
  const selectPassages = database.prepare<[string, number], number>('SELECT passage_id FROM document_passage WHERE document_id = ? LIMIT ?').pluck()
  const selectRemoving = database.prepare<[string], string>('SELECT document_id FROM document WHERE hash = ?').pluck()
  const markRemoving = database.prepare<[string, string]>(`UPDATE document SET state = 'failed', hash = ? WHERE document_id = ?`)
  const deletePassage = database.prepare<[number]>('DELETE FROM document_passage WHERE passage_id = ?')
  const countPassages = database.prepare<[string], number>('SELECT count(*) FROM document_passage WHERE document_id = ?').pluck()
  const totalChanges = database.prepare<[], number>('SELECT total_changes()').pluck()

  const setSecureDelete = (shelf: number, isOn: boolean): void => {
    database.exec(`INSERT INTO ${indexName(shelf)} (${indexName(shelf)}, rank) VALUES ('secure-delete', ${isOn ? 1 : 0})`)
  }
  const hasSecureDelete = (shelf: number): boolean =>
    database
      .prepare<[], number>(`SELECT v FROM ${indexName(shelf)}_config WHERE k = 'secure-delete'`)
      .pluck()
      .get() === 1

  /** Whether all are out. */
  const clearSlice = (id: string, shelf: number, most: number): boolean => {
    const removeWords = database.prepare<[number]>(`DELETE FROM ${indexName(shelf)} WHERE rowid = ?`)
    const passages = selectPassages.all(id, most)
    for (const passage of passages) {
      removeWords.run(passage)
      deletePassage.run(passage)
    }
    return passages.length < most
  }
  /** One merge after the other until nothing that is marked is left. */
  const mergeAway = async (shelf: number): Promise<void> => {
    const merge = database.prepare<[number]>(`INSERT INTO ${indexName(shelf)} (${indexName(shelf)}, rank) VALUES ('merge', ?)`)
    const mergeSome = (pages: number): number => {
      const before = totalChanges.get() ?? 0
      merge.run(pages)
      return (totalChanges.get() ?? 0) - before
    }
    // A negative number begins anew, with all of the index; fewer than two changes: there was nothing left to do.
    for (let pages = -MERGED_PAGES; (await writer.write(() => mergeSome(pages))) >= 2;) pages = MERGED_PAGES
  }
  /** Takes all passages of a document out, some in each commit. */
  const clear = async (id: string, shelf: number, signal?: AbortSignal): Promise<void> => {
    const all = countPassages.get(id) ?? 0
    if (all <= FEW && hasSecureDelete(shelf)) {
      while (!(await writer.write(() => clearSlice(id, shelf, SLICE)))) signal?.throwIfAborted()
      return
    }
    await writer.write(() => setSecureDelete(shelf, false))
    // By halves: merging away what is all marked reads all of it for one page, and that takes as long as it is large.
    let left = all
    do {
      const next = left > MOST_AT_LAST ? Math.ceil(left / 2) : 0
      while (left > next) {
        await writer.write(() => clearSlice(id, shelf, FEW))
        left -= FEW
        signal?.throwIfAborted()
      }
      await mergeAway(shelf)
    } while (left > 0)
    await writer.write(() => setSecureDelete(shelf, true))
  }
  const remove = async (id: string): Promise<void> => {
    const row = selectOne.get(id)
    if (row === undefined) return
    // What a crash leaves half is taken out when the service starts again.
    await writer.write(() => markRemoving.run(REMOVING, id))
    await clear(id, row.shelf_id)
    await writer.write(() => deleteDocument.run(id))
  }
  const isGoing = (id: string): boolean => {
    const row = selectOne.get(id)
    return row === undefined || row.hash === REMOVING
  }
  const get = (id: string): KeptDocument | null => {
    const row = selectOne.get(id)
    return row === undefined ? null : documentOf(row)
  }
  /** From this passage on; where to go on. */
  const insertSlice = (row: DocumentRow, passages: readonly DocumentPassage[], from: number): number => {
    const index = indexPassages(row.shelf_id)
    const began = performance.now()
    let ordinal = from
    for (const { heading, body, place } of passages.slice(from, from + SLICE)) {
      const { lastInsertRowid } = insertPassage.run(row.document_id, ordinal, heading, body, place)
      index.run(lastInsertRowid, titleWords(row.name), heading, body)
      ordinal += 1
      if (performance.now() - began > SLICE_MS) break
    }
    return ordinal
  }

  return {
    list: async (organisation) => selectAll.all(organisation).map(documentOf),
    async waiting() {
      for (const id of selectRemoving.all(REMOVING)) await remove(id)
      return selectWaiting.all().map(documentOf)
    },
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
      signal.throwIfAborted()
      const row = selectOne.get(id)
      // Removed meanwhile.
      if (row === undefined) return
      // Until all of it is written: what a crash leaves half is read again.
      await writer.write(() => unread.run(id))
      await clear(id, row.shelf_id, signal)
      for (let from = 0; from < passages.length;) {
        signal.throwIfAborted()
        const next = await writer.write(() => (isGoing(id) ? null : insertSlice(row, passages, from)))
        if (next === null) return
        from = next
      }
      await writer.write(() => {
        if (!isGoing(id)) finish.run(hash, date, JSON.stringify(remarks), id)
      })
    },
    fail: (id, remarks) =>
      writer.write(() => {
        markFailed.run(JSON.stringify(remarks), id)
      }),
    remove
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
