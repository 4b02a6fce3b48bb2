// A large document never holds up what goes on beside it, and leaves nothing behind, whenever the service ends.
import { describe, expect, it } from 'vitest'
import { never, tempStore } from '../../../test/fakes/service-parts.ts'
import type { Store } from '../store/store.ts'
import { createSqliteDocuments } from './documents.sqlite.ts'

const MANY = 120
/** So many that they are taken out by halves. */
const VERY_MANY = 500
const place = { organisation: 'default', client: 'Northwind', origin: 'upload', sizeBytes: 1, modifiedAt: 1, addedAt: 1, date: '2026-01-01' } as const
const passages = (word: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ heading: `Part ${index}`, body: `${word}${index} says ${word}`, place: '' }))

/** A store that counts its commits, and can be cut off after some. */
function counting({ database, writer }: Store, most = Number.POSITIVE_INFINITY) {
  const counts = { writes: 0 }
  return {
    counts,
    store: {
      database,
      writer: {
        ...writer,
        write<T>(write: () => T): Promise<T> {
          counts.writes += 1
          return counts.writes > most ? Promise.reject(new Error('cut off')) : writer.write(write)
        }
      }
    }
  }
}

/** Everything the shelf's index holds, as bytes. */
function indexOf({ database }: Pick<Store, 'database'>): string {
  return database
    .prepare<[], Buffer>('SELECT block FROM document_index_1_data')
    .pluck()
    .all()
    .map((block) => block.toString('latin1'))
    .join('\n')
}

function count({ database }: Pick<Store, 'database'>, table: string): unknown {
  return database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
}

async function written(store: Pick<Store, 'database' | 'writer'>, word: string, many: number, id = 'd') {
  const documents = createSqliteDocuments(store)
  await documents.expect({ ...place, id, name: `${id}.md` })
  await documents.replace(id, { hash: '1:x', date: '2026-01-01', passages: passages(word, many), remarks: [] }, never)
  return documents
}

describe('a document of many passages', { timeout: 30_000 }, () => {
  it('is written and taken out in many commits', async () => {
    await using temp = await tempStore()
    const { store, counts } = counting(temp.store)
    const documents = await written(store, 'quokka', MANY)
    expect(counts.writes).toBeGreaterThan(MANY / 10)
    expect(count(store, 'document_passage')).toBe(MANY)
    counts.writes = 0
    await documents.remove('d')
    expect(counts.writes).toBeGreaterThan(MANY / 50)
    expect(count(store, 'document_passage')).toBe(0)
  })

  it.each([VERY_MANY, MANY, 20])('leaves not a word behind: %d passages', async (many) => {
    await using temp = await tempStore()
    const documents = await written(temp.store, 'quokka', many)
    await written(temp.store, 'wombat', 5, 'other')
    expect(indexOf(temp.store)).toContain('quokka')
    await documents.remove('d')
    expect(indexOf(temp.store)).not.toContain('okka')
    expect(indexOf(temp.store)).toContain('wombat')
    await documents.replace('other', { hash: '1:y', date: '2026-01-01', passages: passages('dingo', 60), remarks: [] }, never)
    expect(indexOf(temp.store)).not.toContain('ombat')
    expect(count(temp.store, 'document_passage')).toBe(60)
  })

  it.each([1, 2, 4, 8])('that was being taken out when the service ended, after %d commits, is gone when it is back', async (after) => {
    await using temp = await tempStore()
    await written(temp.store, 'quokka', MANY)
    const cut = createSqliteDocuments(counting(temp.store, after).store)
    await expect(cut.remove('d')).rejects.toThrow('cut off')
    const back = createSqliteDocuments(await temp.reopen())
    expect(await back.waiting()).toEqual([])
    expect(await back.list('default')).toEqual([])
    expect(count(temp.store, 'document_passage')).toBe(0)
    expect(indexOf(temp.store)).not.toContain('okka')
  })

  it.each([1, 3, 20])('that was being replaced then, after %d commits, is read again and whole', async (after) => {
    await using temp = await tempStore()
    await written(temp.store, 'quokka', MANY)
    const cut = createSqliteDocuments(counting(temp.store, after + 1).store)
    await cut.expect({ ...place, id: 'd', name: 'd.md' })
    const reread = { hash: '1:y', date: '2026-01-01', passages: passages('dingo', MANY), remarks: [] }
    await expect(cut.replace('d', reread, never)).rejects.toThrow('cut off')
    const back = createSqliteDocuments(await temp.reopen())
    expect((await back.waiting()).map(({ id, hash }) => [id, hash])).toEqual([['d', null]])
    await back.replace('d', reread, never)
    expect(await back.list('default')).toMatchObject([{ stage: 'ready', hash: '1:y', passages: MANY }])
    expect(indexOf(temp.store)).not.toContain('okka')
  })
})
