// The vectors of passages in the service's store, encrypted with it. They go with their passages: the database sees to that.
import type { Store } from '../store/store.ts'
import { PACK } from './shelves.sqlite.ts'
import type { NewVectors, Position, Unembedded, Vectors } from './vectors.ts'

interface PassageRow {
  passage_id: number
  shelf_id: number
  heading: string
  body: string
  vector_model: string | null
}

interface VectorRow {
  vector_id: number
  packed: Buffer
}

/** Passages that are looked at together: a short read. */
const LOOKED_AT = 100

export function createSqliteVectors({ database, writer }: Pick<Store, 'database' | 'writer'>): Vectors {
  // In memory, for this process: what it holds of them has to go too.
  database.exec(`
    CREATE TABLE IF NOT EXISTS temp.vector_gone (vector_id INTEGER PRIMARY KEY);
    CREATE TEMP TRIGGER IF NOT EXISTS note_vector_gone AFTER DELETE ON main.passage_vector
    BEGIN INSERT INTO vector_gone (vector_id) VALUES (old.vector_id); END;`)
  const selectPack = database.prepare<[number, number], PassageRow>(
    `SELECT p.passage_id, 0 AS shelf_id, p.heading, p.body, v.model AS vector_model
     FROM passage p LEFT JOIN passage_vector v ON v.passage_id = p.passage_id WHERE p.passage_id > ? ORDER BY p.passage_id LIMIT ?`
  )
  const selectDocuments = database.prepare<[number, number], PassageRow>(
    `SELECT p.passage_id, d.shelf_id, p.heading, p.body, v.model AS vector_model
     FROM document_passage p JOIN document d ON d.document_id = p.document_id LEFT JOIN passage_vector v ON v.document_passage_id = p.passage_id
     WHERE p.passage_id > ? ORDER BY p.passage_id LIMIT ?`
  )
  const insertPack = database.prepare<[string, Uint8Array, number], VectorRow>(
    `INSERT OR REPLACE INTO passage_vector (shelf_id, passage_id, model, packed) SELECT 0, p.passage_id, ?, ? FROM passage p
     WHERE p.passage_id = ? RETURNING vector_id, packed`
  )
  const insertDocument = database.prepare<[string, Uint8Array, number, number], VectorRow>(
    `INSERT OR REPLACE INTO passage_vector (shelf_id, document_passage_id, model, packed) SELECT d.shelf_id, p.passage_id, ?, ?
     FROM document_passage p JOIN document d ON d.document_id = p.document_id WHERE p.passage_id = ? AND d.shelf_id = ? RETURNING vector_id, packed`
  )
  const selectPage = database.prepare<[number, number, string, number], VectorRow>(
    'SELECT vector_id, packed FROM passage_vector WHERE shelf_id = ? AND vector_id > ? AND model = ? ORDER BY vector_id LIMIT ?'
  )
  const selectPassage = database.prepare<[number], { shelf_id: number; passage_id: number | null; document_passage_id: number | null }>(
    'SELECT shelf_id, passage_id, document_passage_id FROM passage_vector WHERE vector_id = ?'
  )
  const selectGone = database.prepare<[], number>('SELECT vector_id FROM temp.vector_gone').pluck()
  const clearGone = database.prepare('DELETE FROM temp.vector_gone')

  return {
    missing(model, { of, after }) {
      const rows = (of === 'pack' ? selectPack : selectDocuments).all(after, LOOKED_AT)
      const found = rows
        .filter(({ vector_model: known }) => known !== model)
        .map(({ passage_id: passage, shelf_id: shelf, heading, body }): Unembedded => ({ shelf, passage, heading, body }))
      const next: Position | null =
        rows.length === LOOKED_AT ? { of, after: rows.at(-1)?.passage_id ?? after } : of === 'pack' ? { of: 'documents', after: 0 } : null
      return { found, next }
    },
    save: (model, vectors) =>
      writer.write(() =>
        vectors.flatMap(({ shelf, passage, packed }: NewVectors) => {
          const row = shelf === 0 ? insertPack.get(model, packed, passage) : insertDocument.get(model, packed, passage, shelf)
          return row === undefined ? [] : [{ shelf, id: row.vector_id, packed }]
        })
      ),
    page: (model, shelf, after, most) => selectPage.all(shelf, after, model, most).map(({ vector_id: id, packed }) => ({ id, packed })),
    passageOf(id, shelves) {
      const row = selectPassage.get(id)
      if (row === undefined || !shelves.includes(row.shelf_id)) return null
      return row.passage_id === null ? `${row.shelf_id}:${row.document_passage_id}` : `${PACK}${row.passage_id}`
    },
    takeGone() {
      const gone = selectGone.all()
      if (gone.length > 0) clearGone.run()
      return gone
    }
  }
}
