// The knowledge base finds what fits, says nothing where nothing fits, and reads only what changed.
import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { never, tempFolder, tempStore } from '../../../test/fakes/service-parts.ts'
import { readArticle } from './article.ts'
import { ingest } from './ingest.ts'
import { createSqliteKnowledge } from './knowledge.sqlite.ts'
import { conceptsOf, ftsPhrase } from './words.ts'

const pack = 'test/fixtures/knowledge'

async function learned() {
  const temp = await tempStore()
  const knowledge = createSqliteKnowledge(temp.store)
  const report = await ingest(pack, knowledge, never)
  return {
    temp,
    knowledge,
    report,
    slugs: async (text: string) => [...new Set((await knowledge.find({ text }, never)).passages.map(({ slug }) => slug))]
  }
}

describe('knowledge', () => {
  it.each([
    ['Which Harbor storage class for archives?', 'fixture-object-store'],
    ['does pigeon keep the order of messages', 'fixture-queue'],
    ['k8s pitfalls with lighthouse', 'fixture-kubernetes'],
    ['How do we cut the cost of Lagoon queries?', 'fixture-warehouse'],
    ['What is the RTO?', 'fixture-recovery'],
    ['recovery point objective', 'fixture-recovery'],
    ['pilot light', 'fixture-recovery']
  ])('%s', async (question, slug) => {
    const { temp, slugs } = await learned()
    await using _ = temp
    expect((await slugs(question))[0]).toBe(slug)
  })

  it.each([
    'What is the best pizza in Rome?',
    'hello',
    '',
    '???',
    'the of and',
    '"unbalanced',
    'a OR NOT NEAR(',
    'body:*',
    '\u0000',
    '🎉',
    'x'.repeat(32_000),
    'giraffe '.repeat(4_000)
  ])('finds nothing in %#', async (question) => {
    const { temp, slugs } = await learned()
    await using _ = temp
    expect(await slugs(question)).toEqual([])
  })

  it('tells source, date and address of what it found, the section’s own where it has one', async () => {
    const { temp, knowledge } = await learned()
    await using _ = temp
    const { passages } = await knowledge.find({ text: 'harbor lifecycle rules for old objects' }, never)
    expect(passages[0]).toMatchObject({
      heading: 'Cost levers',
      source: 'Harbor price page, Example Publisher',
      url: 'https://example.com/harbor-prices',
      date: '2025-02-03'
    })
    expect(passages[0]?.text).not.toContain('Source:')
    const opening = (await knowledge.find({ text: 'what is Harbor' }, never)).passages.find(({ heading }) => heading === '')
    expect(opening).toMatchObject({ url: 'https://example.com/fixture-object-store', date: '2025-01-15' })
  })

  it('keeps markup as the characters it is', async () => {
    const { temp, knowledge } = await learned()
    await using _ = temp
    const { passages } = await knowledge.find({ text: 'markup script that must stay text' }, never)
    expect(passages[0]?.text).toContain("<script>alert('markup')</script>")
  })
})

describe('ingest', () => {
  it('reads what is new, changed and gone, and nothing twice', async () => {
    await using temp = await tempStore()
    await using folder = await tempFolder()
    await cp(pack, folder.path, { recursive: true })
    const knowledge = createSqliteKnowledge(temp.store)
    expect(await ingest(folder.path, knowledge, never)).toEqual({ added: 6, changed: 0, removed: 0, unchanged: 0, problems: [] })
    expect(await ingest(folder.path, knowledge, never)).toMatchObject({ added: 0, unchanged: 6 })
    const file = join(folder.path, 'aws', 'fixture-queue.md')
    const head = '---\ntitle: Sparrow queue\nprovider: aws\ntopic: messaging\nsource: s\nurl: https://example.com\nasOf: 2025-01-01\ntags: []\n---\n'
    await writeFile(file, `${head}Sparrow is smaller than others.`)
    await rm(join(folder.path, 'gcp', 'fixture-warehouse.md'))
    expect(await ingest(folder.path, knowledge, never)).toMatchObject({ added: 0, changed: 1, removed: 1, unchanged: 4 })
    expect((await knowledge.find({ text: 'sparrow' }, never)).passages).toHaveLength(1)
    for (const gone of ['pigeon', 'lagoon']) expect((await knowledge.find({ text: gone }, never)).passages).toEqual([])
    expect(temp.store.database.prepare('SELECT count(*) FROM passage').pluck().get()).toBe(
      temp.store.database.prepare('SELECT count(*) FROM passage_index').pluck().get()
    )
  })

  it('names a broken article, keeps its earlier version and reads the others', async () => {
    await using temp = await tempStore()
    await using folder = await tempFolder()
    await cp(pack, folder.path, { recursive: true })
    const knowledge = createSqliteKnowledge(temp.store)
    await ingest(folder.path, knowledge, never)
    await writeFile(join(folder.path, 'aws', 'fixture-queue.md'), 'no front matter')
    await writeFile(join(folder.path, 'zz.md'), '---\ntitle: [\n---\nx')
    const { problems } = await ingest(folder.path, knowledge, never)
    expect(problems).toEqual([
      expect.stringContaining('fixture-queue.md: has no front matter'),
      expect.stringContaining('zz.md: front matter is not YAML')
    ])
    expect((await knowledge.find({ text: 'pigeon' }, never)).passages).not.toEqual([])
  })

  it('stops when it is told to', async () => {
    await using temp = await tempStore()
    await expect(ingest(pack, createSqliteKnowledge(temp.store), AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('readArticle', () => {
  const front = (part = ''): string =>
    `---\ntitle: T\nprovider: aws\ntopic: x\nsource: S\nurl: https://example.com\nasOf: 2025-01-01\ntags: [a, 2]\n${part}---\n`

  it.each([
    ['', 'front matter'],
    ['---\n---\n', 'front matter'],
    [front().replace('https', 'javascript'), 'url'],
    [front().replace('2025-01-01', 'soon'), 'asOf'],
    [front().replace('aws', 'oracle'), 'provider'],
    [front(), 'no text'],
    [`${front('x: &a [*a]\n')}text`, 'YAML']
  ])('refuses %#', (content, problem) => {
    expect(() => readArticle('slug', content)).toThrow(expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(problem) }))
  })

  it('takes line ends of any system and cleans control characters', () => {
    const article = readArticle('slug', `${front()}One.\u0007\n\n## Two\n\nThree.`.replaceAll('\n', '\r\n'))
    expect(article.sections.map(({ heading, body }) => [heading, body])).toEqual([
      ['', 'One.'],
      ['Two', 'Three.']
    ])
    expect(article.tags).toEqual(['a', '2'])
  })
})

describe('conceptsOf', () => {
  it('keeps what matters, once, and knows other names of it', () => {
    expect(conceptsOf('Which S3 class should we use for the simple storage service?').map(({ forms }) => forms[0])).toEqual(['s3', 'class'])
    expect(conceptsOf('GKE vs. AKS').map(({ forms }) => forms[0])).toEqual(['gke', 'aks'])
    expect(conceptsOf('What should the client do about it?')).toEqual([])
  })

  it('never lets a word act as an operator', () => {
    expect(conceptsOf('NOT "aa OR bb" NEAR(cc) xx*').flatMap(({ forms }) => forms.map(ftsPhrase))).toEqual(['"aa"', '"bb"', '"near"', '"cc"', '"xx"'])
    expect(ftsPhrase('a"b')).toBe('"ab"')
  })
})
