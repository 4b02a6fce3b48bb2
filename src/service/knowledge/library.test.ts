// The library takes in what lies in the folder and what callers bring, reads it once, and shows each client only its own.
import { mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { docxOf, docxParagraph, docxTable, pdfOf } from '../../../test/fakes/knowledge-documents.ts'
import { fakeClock, never, tempFolder, tempStore } from '../../../test/fakes/service-parts.ts'
import type { DocumentReader } from './documentReader.ts'
import { createThreadReader } from './documentReader.thread.ts'
import { createSqliteDocuments } from './documents.sqlite.ts'
import { ingest } from './ingest.ts'
import { createSqliteKnowledge } from './knowledge.sqlite.ts'
import { createLibrary, type Library } from './library.ts'

const organisation = 'default'
const audit = { record: () => Promise.resolve() }

async function libraryHere(reader: DocumentReader = createThreadReader()) {
  const temp = await tempStore()
  const folder = await tempFolder()
  const knowledge = createSqliteKnowledge(temp.store)
  await ingest('test/fixtures/knowledge', knowledge, never)
  const faults: unknown[] = []
  const inbox = join(temp.path, 'inbox')
  let ids = 0
  const open = (): Library =>
    createLibrary({
      documents: createSqliteDocuments(temp.store),
      reader,
      inbox,
      folder: folder.path,
      folderOrganisation: organisation,
      clock: fakeClock(),
      newId: () => `document-${++ids}`,
      mostBytes: 100_000,
      audit,
      onFault: (error) => faults.push(error)
    })
  const library = open()
  return {
    temp,
    library,
    open,
    knowledge,
    faults,
    inbox,
    folder: folder.path,
    async put(path: string, content: string | Uint8Array): Promise<void> {
      await mkdir(join(folder.path, path, '..'), { recursive: true })
      await writeFile(join(folder.path, path), content)
    },
    async upload(client: string, name: string, content: string | Uint8Array, owner = organisation) {
      async function* chunks() {
        yield Buffer.from(content)
      }
      const state = await library.add({ organisation: owner, actor: 'anna', client, name, content: chunks() }, never)
      await library.settled()
      return state
    },
    find: (text: string, client: string, owner = organisation) => knowledge.find({ text, scope: { organisation: owner, client } }, never),
    async sources(text: string, client: string, owner = organisation): Promise<string[]> {
      const { passages } = await knowledge.find({ text, scope: { organisation: owner, client } }, never)
      return passages.map(({ source }) => source)
    },
    async [Symbol.asyncDispose]() {
      await library.stop()
      await temp[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    }
  }
}

describe('library', () => {
  it('finds what is in documents of every kind, with file and page or heading as the source, and the date', async () => {
    await using here = await libraryHere()
    await here.put('Northwind/notes.md', '# Kickoff\nThe sponsor is Priya and the codename is Marigold.')
    await here.put('Northwind/wiki.html', '<h1>Landscape</h1><p>Their mainframe runs the Zephyr ledger.</p>')
    await here.put('Northwind/plan/2025.pdf', await pdfOf([[{ text: 'Cover' }], [{ text: 'The Quokka cutover takes one weekend.' }]]))
    await here.put(
      'Northwind/offer.docx',
      docxOf(
        docxParagraph('Preise', { style: 'berschrift1' }) +
          docxTable([
            ['Rolle', 'Satz'],
            ['Wombat architect', '1.400']
          ])
      )
    )
    await here.put('Northwind/prices.csv', 'SKU,Item,Price\nA1,Ibex licence,12.50\nA2,Lynx licence,99')
    await here.put('Northwind/call.txt', 'They mentioned the Pangolin audit twice.')
    expect(await here.library.refresh(never)).toEqual({ added: 6, changed: 0, removed: 0, unchanged: 0, problems: [] })
    const expected: [string, string][] = [
      ['what is the codename of the kickoff', 'notes.md, Kickoff'],
      ['zephyr ledger', 'wiki.html, Landscape'],
      ['how long is the quokka cutover', 'plan/2025.pdf, page 2'],
      ['wombat architect', 'offer.docx, Preise'],
      ['price of the Lynx licence', 'prices.csv'],
      ['pangolin audit', 'call.txt']
    ]
    for (const [question, source] of expected) expect((await here.sources(question, 'Northwind'))[0], question).toBe(source)
    const [found] = (await here.find('quokka cutover', 'northwind')).passages
    expect(found).toMatchObject({ title: '2025.pdf', date: '2025-03-04', url: '', text: 'The Quokka cutover takes one weekend.' })
    expect((await here.find('lynx licence', 'Northwind')).passages[0]?.text).toContain('| SKU | Item | Price |')
  })

  it('reads only what is new or changed, and takes out what is gone', async () => {
    await using here = await libraryHere()
    await here.put('Northwind/a.txt', 'Marigold is the codename.')
    await here.put('Northwind/b.txt', 'Zephyr is the ledger.')
    await here.put('Northwind/c.txt', 'Quokka is the cutover.')
    await here.library.refresh(never)
    expect(await here.library.refresh(never)).toMatchObject({ added: 0, changed: 0, unchanged: 3 })
    await utimes(join(here.folder, 'Northwind/a.txt'), new Date(), new Date(1_000_000_000_000))
    await here.put('Northwind/b.txt', 'Pangolin is the ledger.')
    await rm(join(here.folder, 'Northwind/c.txt'))
    expect(await here.library.refresh(never)).toMatchObject({ added: 0, changed: 1, removed: 1, unchanged: 1 })
    expect(await here.sources('zephyr', 'Northwind')).toEqual([])
    expect(await here.sources('quokka', 'Northwind')).toEqual([])
    expect(await here.sources('marigold', 'Northwind')).toEqual(['a.txt'])
    expect(await here.sources('pangolin', 'Northwind')).toEqual(['b.txt'])
  })

  it('names what can’t be read, keeps its earlier version, and reads the others', async () => {
    await using here = await libraryHere()
    await here.put('Northwind/a.docx', docxOf(docxParagraph('Marigold is the codename.')))
    await here.library.refresh(never)
    await here.put('Northwind/a.docx', 'no zip at all')
    await here.put('Northwind/picture.png', 'x')
    await here.put('Northwind/~$a.docx', 'x')
    await here.put('Northwind/b.txt', 'Zephyr is the ledger.')
    const { problems } = await here.library.refresh(never)
    expect(problems).toEqual([
      'Northwind/picture.png: documents of this kind can’t be read',
      expect.stringMatching(/^Northwind\/a\.docx: This document is damaged.*Its earlier version is kept\.$/)
    ])
    expect(await here.sources('marigold', 'Northwind')).toEqual(['a.docx'])
    expect(await here.sources('zephyr', 'Northwind')).toEqual(['b.txt'])
    expect((await here.library.list(organisation)).map(({ name, state }) => [name, state])).toEqual([
      ['a.docx', 'failed'],
      ['b.txt', 'ready']
    ])
  })

  it('takes nothing out when the folder is not there', async () => {
    await using here = await libraryHere()
    await here.put('Northwind/a.txt', 'Marigold is the codename.')
    await here.library.refresh(never)
    await rename(here.folder, `${here.folder}-away`)
    await expect(here.library.refresh(never)).rejects.toMatchObject({ code: 'not_found' })
    expect(await here.sources('marigold', 'Northwind')).toEqual(['a.txt'])
    await rename(`${here.folder}-away`, here.folder)
    expect(await here.library.refresh(never)).toMatchObject({ unchanged: 1 })
  })

  it('takes an upload, replaces it by one of the same name, and removes it with every word', async () => {
    await using here = await libraryHere()
    const { id } = await here.upload('Northwind', 'C:\\docs\\brief.txt', 'Marigold is the codename.')
    expect(await here.library.list(organisation)).toEqual([
      expect.objectContaining({ id, client: 'Northwind', name: 'brief.txt', origin: 'upload', state: 'ready', passages: 1, remarks: [] })
    ])
    expect((await here.upload('NORTHWIND ', 'brief.txt', 'Zephyr is the codename.')).id).toBe(id)
    expect(await here.sources('marigold', 'Northwind')).toEqual([])
    expect(await here.sources('zephyr', 'Northwind')).toEqual(['brief.txt'])
    await here.library.remove({ organisation, actor: 'anna', id })
    expect(await here.sources('zephyr', 'Northwind')).toEqual([])
    expect(await here.library.list(organisation)).toEqual([])
    expect(await readdir(here.inbox)).toEqual([])
    await expect(here.library.remove({ organisation, actor: 'anna', id })).rejects.toMatchObject({ code: 'not_found' })
  })

  it.each([
    ['a.exe', 'x', 'invalid_request'],
    ['', 'x', 'invalid_request'],
    ['a.txt', '', 'invalid_request'],
    ['a.txt', 'x'.repeat(100_001), 'context_too_large'],
    [`${'x'.repeat(400)}.txt`, 'x', 'invalid_request']
  ])('refuses %# before anything is kept', async (name, content, code) => {
    await using here = await libraryHere()
    await expect(here.upload('Northwind', name, content)).rejects.toMatchObject({ code })
    expect(await here.library.list(organisation)).toEqual([])
  })

  it('reads after a restart what was accepted before it', async () => {
    const { promise: stuck, resolve: began } = Promise.withResolvers<undefined>()
    const endless: DocumentReader = {
      read: (_path, _name, { signal, onProgress }) =>
        new Promise((_, reject) => {
          onProgress(3, 7)
          began(undefined)
          signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
        }),
      rest: () => Promise.resolve()
    }
    await using here = await libraryHere(endless)
    async function* chunks() {
      yield Buffer.from('Marigold is the codename.')
    }
    await here.library.add({ organisation, actor: 'anna', client: 'Northwind', name: 'a.txt', content: chunks() }, never)
    await stuck
    expect(await here.library.list(organisation)).toEqual([expect.objectContaining({ state: 'reading', done: 3, total: 7 })])
    await here.library.stop()
    expect(here.faults).toEqual([])
    await writeFile(join(here.inbox, 'half.part'), 'x')
    const next = createLibrary({
      documents: createSqliteDocuments(here.temp.store),
      reader: createThreadReader(),
      inbox: here.inbox,
      folder: null,
      folderOrganisation: organisation,
      clock: fakeClock(),
      newId: () => 'next',
      audit,
      onFault: (error) => here.faults.push(error)
    })
    await next.resume()
    await next.settled()
    await next.stop()
    expect(await here.sources('marigold', 'Northwind')).toEqual(['a.txt'])
    expect(await readdir(here.inbox)).toEqual([])
    expect(here.faults).toEqual([])
  })

  it('stops a refresh that is cancelled, and goes on with it the next time', async () => {
    await using here = await libraryHere()
    await here.put('Northwind/a.txt', 'Marigold is the codename.')
    await expect(here.library.refresh(AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
    expect(await here.library.refresh(never)).toMatchObject({ added: 1 })
  })
})

describe('clients', () => {
  it('never see each other’s documents, by whatever words', async () => {
    await using here = await libraryHere()
    await here.put('Northwind/offer.txt', 'Marigold day rate is 1200.')
    await here.put('Contoso/offer.txt', 'Zephyr day rate is 900.')
    await here.put('everyone.txt', 'Our Pangolin method has four steps.')
    await here.library.refresh(never)
    expect((await here.find('the day rate', 'Northwind')).passages.map(({ text }) => text)).toEqual(['Marigold day rate is 1200.'])
    expect((await here.find('the day rate', 'Contoso')).passages.map(({ text }) => text)).toEqual(['Zephyr day rate is 900.'])
    for (const words of ['zephyr', 'zephyr 900', 'Contoso zephyr', 'CONTOSO', 'offer of contoso zephyr']) {
      expect(JSON.stringify(await here.find(words, 'Northwind')), words).not.toMatch(/is 900/)
      expect(JSON.stringify(await here.find(words, '')), words).not.toMatch(/is 900|is 1200/)
    }
    for (const client of ['Northwind', 'contoso', '', 'nobody']) expect(await here.sources('pangolin method', client)).toEqual(['everyone.txt'])
  })

  it('get the same passages with the same scores whether others have documents or not', async () => {
    await using here = await libraryHere()
    await here.put('Northwind/offer.txt', 'Marigold day rate is 1200. Harbor is their store.')
    await here.library.refresh(never)
    const questions = ['marigold day rate', 'what is Harbor', 'day rate zephyr', 'pigeon ordering of messages']
    const before = await Promise.all(questions.map((text) => here.find(text, 'Northwind')))
    for (let index = 0; index < 20; index += 1) await here.put(`Contoso/${index}.txt`, 'Harbor zephyr day rate pigeon messages marigold.')
    await here.upload('Northwind', 'other.txt', 'Harbor zephyr day rate pigeon messages marigold.', 'another-organisation')
    expect(await here.library.refresh(never)).toMatchObject({ added: 20 })
    expect(await Promise.all(questions.map((text) => here.find(text, 'Northwind')))).toEqual(before)
    expect(before[0]?.passages).not.toEqual([])
  })

  it('are known however their name is written', async () => {
    await using here = await libraryHere()
    await here.put('Müller & Söhne/offer.txt', 'Marigold is the codename.')
    await here.library.refresh(never)
    for (const name of ['müller & söhne', ' MÜLLER  &\u00A0SÖHNE ', 'Mu\u0308ller & So\u0308hne', 'Mül\u200Bler & Söhne']) {
      expect(await here.sources('marigold', name), name).toEqual(['offer.txt'])
    }
    expect(await here.sources('marigold', 'Müller & Sohn')).toEqual([])
  })

  it('of another organisation are others, also under the same name', async () => {
    await using here = await libraryHere()
    const { id } = await here.upload('Northwind', 'offer.txt', 'Marigold is the codename.', 'one')
    expect(await here.sources('marigold', 'Northwind', 'one')).toEqual(['offer.txt'])
    expect(await here.sources('marigold', 'Northwind', 'two')).toEqual([])
    expect(await here.library.list('two')).toEqual([])
    await expect(here.library.remove({ organisation: 'two', actor: 'anna', id })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('with thousands of passages find what words that are everywhere narrow down', { timeout: 30_000 }, async () => {
    await using here = await libraryHere()
    const documents = createSqliteDocuments(here.temp.store)
    const place = { organisation, client: 'Northwind', origin: 'upload', sizeBytes: 1, modifiedAt: 1, addedAt: 1, date: '2025-01-01' } as const
    const passages = Array.from({ length: 6_300 }, (_, index) => ({
      heading: '',
      place: `page ${index + 1}`,
      body: index % 3 === 0 ? `migration of part${index}` : `something else of part${index}`
    }))
    passages[40] = { heading: '', place: 'page 41', body: 'talks with pangolin' }
    passages[990] = { heading: '', place: 'page 991', body: 'migration with pangolin' }
    const { id } = await documents.expect({ ...place, id: 'd', name: 'plan.pdf' })
    await documents.replace(id, { hash: '1:x', date: '2025-01-01', passages, remarks: [] }, never)
    expect(await here.sources('pangolin migration', 'Northwind')).toEqual(['plan.pdf, page 991', 'plan.pdf, page 41'])
    expect(await here.sources('migration', 'Northwind')).not.toEqual([])
    expect((await here.sources('migration of part6', 'Northwind'))[0]).toBe('plan.pdf, page 7')
  })

  it('need not be named in their own documents', async () => {
    await using here = await libraryHere()
    await here.put('Northwind/offer.txt', 'The retainer is 4,000 a month.')
    await here.library.refresh(never)
    expect(await here.sources('What is the retainer of Northwind?', 'Northwind')).toEqual(['offer.txt'])
  })
})
