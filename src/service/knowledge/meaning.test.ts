// Meaning beside words: it never makes a question wait, holds only what is asked about, and forgets what is taken out.
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { never, tempStore } from '../../../test/fakes/service-parts.ts'
import { createSqliteDocuments } from './documents.sqlite.ts'
import { createSqliteKnowledge } from './knowledge.sqlite.ts'
import { createMeaning, type LeftToWords } from './meaning.ts'
import { createMatrix, DIMENSIONS, quantise, VECTOR_BYTES, type Matrix } from './meaning/matrix.ts'
import { partsOf, questionTexts } from './meaning/parts.ts'
import type { MeaningModel } from './model.ts'
import { createThreadModel } from './model.thread.ts'
import { createShelves } from './shelves.sqlite.ts'
import { START } from './vectors.ts'
import { createSqliteVectors } from './vectors.sqlite.ts'

/** What a text is about, for a model of three subjects. */
const subjects = [/lorr|truck|gate/i, /invoice|bill|pay/i, /phone|handset/i]

function vectorOf(text: string): Float32Array {
  const vector = new Float32Array(DIMENSIONS)
  for (const [index, subject] of subjects.entries()) if (subject.test(text)) vector[index] = 1
  const length = Math.hypot(...vector)
  return length === 0 ? vector : vector.map((value) => value / length)
}

function fakeModel({ thinksMs = 0, version = 'fake/1' } = {}) {
  let state: MeaningModel['state'] = 'off'
  const shelves = new Map<number, Matrix>()
  const embedded: string[] = []
  let dies = false
  const model: MeaningModel = {
    version,
    get state() {
      return state
    },
    async start() {
      if (dies) throw new Error('no memory')
      state = 'ready'
    },
    async embed(texts) {
      embedded.push(...texts)
      return Buffer.concat(texts.map((text) => quantise(vectorOf(text))))
    },
    async nearest(texts, asked, most) {
      if (thinksMs > 0) await pause(thinksMs)
      return asked.flatMap((shelf) => shelves.get(shelf)?.nearest(vectorOf(texts.join(' ')), most) ?? [])
    },
    hold(shelf, vectors) {
      const matrix = shelves.get(shelf) ?? createMatrix()
      shelves.set(shelf, matrix)
      for (const { id, packed } of vectors) matrix.add(id, packed)
    },
    drop(ids) {
      for (const matrix of shelves.values()) matrix.drop(new Set(ids))
    },
    async rest() {
      state = 'off'
      shelves.clear()
    }
  }
  return { model, embedded, shelves, die: () => (dies = true) }
}

const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop()
})

async function here({ thinksMs = 0, waitMs = 5_000, idleMs = 60_000 } = {}) {
  const temp = await tempStore()
  const fake = fakeModel({ thinksMs })
  const left: LeftToWords[] = []
  const faults: unknown[] = []
  const vectors = createSqliteVectors(temp.store)
  const meaning = createMeaning({
    model: fake.model,
    vectors,
    waitMs,
    idleMs,
    share: 1,
    onLeftToWords: (reason) => left.push(reason),
    onFault: (error) => faults.push(error)
  })
  open.push(meaning)
  const documents = createSqliteDocuments(temp.store)
  const knowledge = createSqliteKnowledge(temp.store, meaning)
  const shelves = createShelves(temp.store.database)
  /** What the model finds by itself for the client. */
  const near = async (text: string, client = 'Northwind') => {
    const shelvesOfClient = shelves.open({ organisation: 'default', client })
    const found = await meaning.nearest(
      text,
      shelvesOfClient.map(({ id }) => id)
    )
    return [...(found?.keys() ?? [])].flatMap((id) => shelvesOfClient.flatMap((shelf) => shelf.passage(id)?.text ?? []))
  }
  let documentIds = 0
  const find = async (text: string, client = 'Northwind') => {
    const { passages } = await knowledge.find({ text, scope: { organisation: 'default', client } }, never)
    return passages.map((passage) => passage.text)
  }
  return {
    temp,
    fake,
    left,
    faults,
    vectors,
    meaning,
    documents,
    find,
    near,
    async put(client: string, ...bodies: readonly string[]) {
      const id = `document-${(documentIds += 1)}`
      const place = { organisation: 'default', client, origin: 'upload' as const, name: `${id}.md` }
      await documents.expect({ ...place, id, sizeBytes: 1, modifiedAt: 1, addedAt: 1, date: '2026-01-01' })
      const passages = bodies.map((body) => ({ heading: '', body, place: '' }))
      await documents.replace(id, { hash: '1:x', date: '2026-01-01', passages, remarks: [] }, never)
      return id
    },
    /** Until the model holds what this client may see. */
    async warm(client = 'Northwind') {
      await find('warm', client)
      await meaning.settled()
    }
  }
}

const filler = [
  'The harvest of apples begins in autumn.',
  'The orchestra rehearses on Tuesday evening.',
  'Snow closes the mountain road each winter.'
]

describe('meaning', () => {
  it('prefers what says the same in other words, once it is warm; the first question is left to words', async () => {
    const { temp, put, find, warm, left } = await here()
    await using _ = temp
    const others = Array.from({ length: 30 }, (_, index) => `Chapter ${index} is about gardens.`)
    await put('Northwind', 'Roses queue at the entrance.', 'Trucks queue at the entrance.', ...others)
    expect((await find('lorries queue entrance'))[0]).toBe('Roses queue at the entrance.')
    expect(left).toEqual(['cold'])
    await warm()
    expect((await find('lorries queue entrance'))[0]).toBe('Trucks queue at the entrance.')
  })

  it('is not enough by itself: a passage without a word of the question is no answer', async () => {
    const { temp, put, find, near, warm } = await here()
    await using _ = temp
    await put('Northwind', 'Trucks queue at the entrance.', ...filler)
    await warm()
    expect(await near('lorries')).toEqual(['Trucks queue at the entrance.'])
    expect(await find('lorries')).toEqual([])
  })

  it('never shows one client what another has', async () => {
    const { temp, put, near, warm, fake } = await here()
    await using _ = temp
    await put('Northwind', 'Trucks queue at the entrance.', ...filler)
    await put('Harbor', ...filler)
    await warm('Northwind')
    await warm('Harbor')
    expect(fake.shelves.size).toBeGreaterThan(1)
    expect(await near('lorries', 'Harbor')).toEqual([])
    expect(await near('lorries', 'Northwind')).not.toEqual([])
  })

  it('lets words do when it is too slow, and says so', async () => {
    const { temp, put, find, warm, left } = await here({ thinksMs: 200, waitMs: 5 })
    await using _ = temp
    await put('Northwind', 'Trucks queue at the entrance.', ...filler)
    await warm()
    expect(await find('trucks entrance')).toEqual(['Trucks queue at the entrance.'])
    expect(left).toContain('slow')
  })

  it('thinks about two questions at once; more are left to words at once', async () => {
    const { temp, put, near, warm, left } = await here({ thinksMs: 50 })
    await using _ = temp
    await put('Northwind', 'Trucks queue at the entrance.', ...filler)
    await warm()
    const found = await Promise.all(Array.from({ length: 5 }, () => near('lorries')))
    expect(found.filter((texts) => texts.length > 0)).toHaveLength(2)
    expect(left.filter((reason) => reason === 'slow')).toHaveLength(3)
    expect(await near('lorries')).not.toEqual([])
  })

  it('leaves a language that the model does not know to words', async () => {
    const { temp, put, find, warm, left, fake } = await here()
    await using _ = temp
    await put('Northwind', 'Die Lorries stehen an der Einfahrt und warten auf den Fahrer.', ...filler)
    await warm()
    expect(await find('Was ist mit der Einfahrt?')).toHaveLength(1)
    expect(left).toContain('language')
    expect(fake.embedded.join(' ')).not.toContain('Einfahrt')
  })

  it('answers by words when the model can’t start, tells it once, and does not try at every question', async () => {
    const { temp, put, find, warm, faults, fake } = await here()
    await using _ = temp
    fake.die()
    await put('Northwind', 'Trucks queue at the entrance.', ...filler)
    await warm()
    await warm()
    expect(await find('trucks entrance')).toEqual(['Trucks queue at the entrance.'])
    expect(faults).toHaveLength(1)
  })

  it('forgets a document with its passages, also on the thread', async () => {
    const { temp, put, near, warm, documents, meaning } = await here()
    await using _ = temp
    const id = await put('Northwind', 'Trucks queue at the entrance.')
    await put('Northwind', ...filler)
    await warm()
    expect(await near('lorries')).not.toEqual([])
    await documents.remove(id)
    expect(await near('lorries')).toEqual([])
    expect(temp.store.database.prepare('SELECT count(*) FROM passage_vector').pluck().get()).toBe(filler.length)
    await put('Northwind', 'The phone rings.')
    meaning.catchUp()
    await meaning.settled()
    expect((await near('handset'))[0]).toBe('The phone rings.')
  })

  it('embeds each passage once, and again for another model', async () => {
    const { temp, put, warm, meaning, fake, vectors } = await here()
    await using _ = temp
    await put('Northwind', ...filler)
    await warm()
    meaning.catchUp()
    await meaning.settled()
    expect(fake.embedded).toHaveLength(filler.length)
    expect(vectors.missing('fake/1', { of: 'documents', after: 0 }).found).toEqual([])
    expect(vectors.missing('fake/2', { of: 'documents', after: 0 }).found).toHaveLength(filler.length)
    const next = fakeModel({ version: 'fake/2' })
    const successor = createMeaning({ model: next.model, vectors, share: 1, onLeftToWords: () => undefined, onFault: () => undefined })
    open.push(successor)
    successor.catchUp()
    await successor.settled()
    expect(next.embedded).toHaveLength(filler.length)
    expect(vectors.missing('fake/2', START).found).toEqual([])
  })

  it('does not start a model to find that there is nothing to do, and gives it back when nobody asks', async () => {
    const { temp, put, warm, meaning, fake } = await here({ idleMs: 30 })
    await using _ = temp
    meaning.catchUp()
    await meaning.settled()
    expect(fake.model.state).toBe('off')
    await put('Northwind', 'Trucks queue at the entrance.')
    await warm()
    await vi.waitFor(() => expect(fake.model.state).toBe('off'))
    expect(fake.shelves.size).toBe(0)
  })
})

describe('the parts of a passage', () => {
  it('are some sentences each, with their heading, and rows with the names of their columns', () => {
    const long = 'This sentence has exactly nine words in it all. '.repeat(10)
    const parts = partsOf('Offer › Prices', `${long}\n\n| Item | Price |\n| --- | --- |\n| Anchor | 3 |\n| Rope | 4 |`)
    expect(parts.length).toBeGreaterThan(2)
    expect(parts.every((part) => part.startsWith('Prices: '))).toBe(true)
    expect(parts.at(-1)).toContain('Item: Anchor, Price: 3 Item: Rope, Price: 4')
  })

  it.each(['', '   ', '| | |\n| --- | --- |', '\u0000\u0007', '\ud800', '<script>alert(1)</script>', 'x'.repeat(200_000)])(
    'take any text: %#',
    (body) => {
      const parts = partsOf('', body)
      expect(parts.length).toBeLessThanOrEqual(16)
      expect(parts.every((part) => part.length <= 700 && part.isWellFormed())).toBe(true)
    }
  )

  it('of a question are what was asked and what it is about', () => {
    expect(questionTexts('What happens to a stolen handset?')).toEqual(['What happens to a stolen handset?', 'stolen handset'])
    expect(questionTexts('???')).toEqual([])
  })
})

describe('the matrix', () => {
  it('gives each id once, by the nearest of its vectors, and loses little by its bytes', () => {
    const matrix = createMatrix()
    const [a, b] = [vectorOf('truck'), vectorOf('invoice')]
    matrix.add(7, Buffer.concat([quantise(a), quantise(b)]))
    for (let id = 100; id < 300; id += 1) matrix.add(id, quantise(vectorOf('phone invoice')))
    expect(matrix.nearest(b, 2).map(({ id, similarity }) => [id, Math.round(similarity * 1e3) / 1e3])).toEqual([
      [7, 1],
      [100, Math.round(Math.SQRT1_2 * 1e3) / 1e3]
    ])
    matrix.drop(new Set([7]))
    expect(matrix.nearest(b, 1)[0]?.id).toBe(100)
    expect(matrix.count).toBe(200)
    matrix.add(8, new Uint8Array(0))
    expect(matrix.count).toBe(200)
  })
})

describe('the model on its thread', () => {
  it('knows what is near, takes any text, and tells who waits when it is stopped', { timeout: 20_000 }, async () => {
    const model = createThreadModel()
    open.push({ stop: () => model.rest() })
    await model.start()
    const texts = ['Phones are wiped remotely after eight days.', 'Invoices are due within 45 days.', '\ud800', '🎉', 'x'.repeat(700)]
    const packed = await model.embed(texts)
    expect(packed.byteLength).toBe(texts.length * VECTOR_BYTES)
    model.hold(3, [
      { id: 1, packed: packed.subarray(0, VECTOR_BYTES) },
      { id: 2, packed: packed.subarray(VECTOR_BYTES, 2 * VECTOR_BYTES) }
    ])
    expect((await model.nearest(['How soon must they pay the bill?'], [3], 5)).map(({ id }) => id)).toEqual([2, 1])
    expect(await model.nearest(['How soon must they pay the bill?'], [4], 5)).toEqual([])
    const left = model.nearest(['phone'], [3], 5)
    const refused = expect(left).rejects.toThrow('stopped')
    await model.rest()
    await refused
    expect(model.state).toBe('off')
  })
})
