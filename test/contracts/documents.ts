// What every store of clients' documents promises: one document at a place, its passages replaced as a whole.
import { expect, it } from 'vitest'
import type { Documents, NewDocument, Reread } from '../../src/service/knowledge/documents.ts'
import { never } from '../fakes/service-parts.ts'

export interface OpenDocuments extends AsyncDisposable {
  readonly documents: Documents
}

export const aDocument = (id: string, part: Partial<NewDocument> = {}): NewDocument => ({
  id, organisation: 'north', client: 'Northwind', origin: 'upload', name: `${id}.md`, sizeBytes: 10, modifiedAt: 5, addedAt: 6, date: '2026-01-01', ...part
}) // prettier-ignore

export const aReread = (count: number, words = 'Words'): Reread => ({
  hash: `hash of ${words}`,
  date: '2026-02-02',
  passages: Array.from({ length: count }, (_, n) => ({ heading: `Part ${n}`, body: `${words} ${n} \u0000`, place: `page ${n}` })),
  remarks: ['One picture was left out.']
})

export function documentsContract(open: () => Promise<OpenDocuments>): void {
  it('keeps one document at a place, however the client is written, and each organisation’s apart', async () => {
    await using house = await open()
    const { documents } = house
    const first = await documents.expect(aDocument('a'))
    expect(first).toMatchObject({ ...aDocument('a'), hash: null, stage: 'waiting', passages: 0, remarks: [] })
    const again = await documents.expect(aDocument('b', { name: 'a.md', client: ' NORTHWIND ', sizeBytes: 11 }))
    expect(again).toMatchObject({ id: 'a', client: ' NORTHWIND ', sizeBytes: 11 })
    await documents.expect(aDocument('c', { name: 'a.md', origin: 'folder' }))
    await documents.expect(aDocument('d', { name: 'a.md', organisation: 'south' }))
    expect((await documents.list('north')).map(({ id }) => id)).toEqual(['c', 'a'])
    expect((await documents.waiting()).map(({ id }) => id).toSorted()).toEqual(['a', 'c', 'd'])
    expect([await documents.get('d'), await documents.get('b')]).toMatchObject([{ organisation: 'south' }, null])
  })

  it('replaces passages as a whole, keeps them where reading fails, and loses them with the document', async () => {
    await using house = await open()
    const { documents } = house
    await documents.expect(aDocument('a'))
    await documents.replace('a', aReread(70), never)
    expect(await documents.get('a')).toMatchObject({
      stage: 'ready',
      hash: 'hash of Words',
      date: '2026-02-02',
      passages: 70,
      remarks: ['One picture was left out.']
    })
    await documents.expect(aDocument('a'))
    await documents.keep('a', { sizeBytes: 12, modifiedAt: 13 })
    expect(await documents.get('a')).toMatchObject({ stage: 'ready', hash: 'hash of Words', sizeBytes: 12, modifiedAt: 13, passages: 70 })
    await documents.replace('a', aReread(3, 'Other'), never)
    expect(await documents.get('a')).toMatchObject({ passages: 3 })
    await documents.fail('a', ['Damaged.'])
    expect(await documents.get('a')).toMatchObject({ stage: 'failed', hash: null, passages: 3, remarks: ['Damaged.'] })
    await documents.remove('a')
    await documents.replace('a', aReread(3), never)
    expect(await documents.list('north')).toEqual([])
  })

  it('is still to be read when it was stopped in the middle', async () => {
    await using house = await open()
    const { documents } = house
    await documents.expect(aDocument('a'))
    await expect(documents.replace('a', aReread(3), AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
    expect(await documents.get('a')).toMatchObject({ stage: 'waiting', hash: null })
  })
}
