// Unit tests of the pack's checker: the shipped pack passes, and every kind of planted error is named with the file it is in.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readArticle } from './article.ts'
import { realDate } from './dates.ts'
import { checkPack, type PackFolders } from './pack.ts'
import { checkPriceBook } from './priceBook.ts'
import { checkQuestions } from './questions.ts'

const root = join(import.meta.dirname, '..', '..')
const shipped: PackFolders = {
  knowledge: join(root, 'resources', 'knowledge'),
  pricing: join(root, 'resources', 'pricing'),
  questions: join(root, 'test', 'fixtures', 'knowledge-questions.json')
}
const today = '2026-11-21'

describe('the shipped pack', () => {
  it('has no problem on the day the tests run', () => {
    expect(checkPack(shipped, new Date().toISOString().slice(0, 10))).toEqual([])
  })
})

describe('a pack with planted errors', () => {
  let folder: string
  let planted: PackFolders

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'knowledge-pack-'))
    planted = { knowledge: join(folder, 'knowledge'), pricing: join(folder, 'pricing'), questions: join(folder, 'questions.json') }
    cpSync(shipped.knowledge, planted.knowledge, { recursive: true })
    cpSync(shipped.pricing, planted.pricing, { recursive: true })
    cpSync(shipped.questions, planted.questions)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const article = (place: string): string => join(planted.knowledge, place)

  it('names a slug and a title that are there twice', () => {
    cpSync(article('aws/amazon-s3.md'), article('azure/amazon-s3.md'))
    expect(checkPack(planted, today)).toEqual([
      'azure/amazon-s3.md: provider "aws" lies in the folder "azure"',
      'knowledge: the slug "amazon-s3" is there twice',
      expect.stringMatching(/^knowledge: the title ".+" is there twice$/)
    ])
  })

  it('names a folder of nobody and a provider without articles', () => {
    mkdirSync(article('oracle'))
    rmSync(article('gcp'), { recursive: true })
    const problems = checkPack(planted, today)
    expect(problems).toContain('knowledge: "oracle" is no provider\'s folder')
    expect(problems).toContain('knowledge: 0 articles of gcp, not 10')
    expect(problems).toContainEqual(expect.stringMatching(/^questions: ".+" names the article "google-bigquery", which does not exist$/))
  })

  it('names a missing price book and files that are not JSON', () => {
    rmSync(join(planted.pricing, 'azure.json'))
    writeFileSync(join(planted.pricing, 'gcp.json'), '{"provider": "gcp", ')
    writeFileSync(planted.questions, '\u0000')
    expect(checkPack(planted, today)).toEqual([
      expect.stringMatching(/^gcp\.json: the file is not JSON \(.+\)$/),
      'pricing: there is no price book of azure',
      expect.stringMatching(/^questions: the file is not JSON \(.+\)$/)
    ])
  })

  it('prefixes each problem of an article with its file', () => {
    const text = readFileSync(article('gcp/google-vpc.md'), 'utf8')
    writeFileSync(article('gcp/google-vpc.md'), text.replace('topic: network', 'topic: gardening').replaceAll('\n- ', '\n* '))
    const problems = checkPack(planted, today)
    expect(problems.length).toBeGreaterThan(2)
    expect(problems.every((problem) => problem.startsWith('gcp/google-vpc.md: '))).toBe(true)
  })
})

const sentence = 'This bullet is one whole sentence that makes sense when somebody quotes it alone in a meeting.'
const bullets = `- ${sentence}\n`.repeat(6)

function articleProblems(text: string): readonly string[] {
  return readArticle('aws/a-slug.md', text, today).problems
}

function bookProblems(...items: object[]): string[] {
  const content = { provider: 'aws', asOf: '2026-02-01', currency: 'USD', items }
  return checkPriceBook('aws.json', JSON.parse(JSON.stringify(content)), today)
}

function ask(count: number, slugs: string[], word: string): object[] {
  return Array.from({ length: count }, (_, index) => ({ question: `A ${word} question, number ${index}`, slugs }))
}

describe('readArticle', () => {
  const good = [
    '---',
    'title: A title of an article',
    'provider: aws',
    'topic: storage',
    'source: A public document, A publisher',
    'url: https://example.com/document',
    'asOf: 2026-01-31',
    'tags: [one, two, three]',
    '---',
    '',
    'What it is. When to use it.',
    '',
    ...['First', 'Second', 'Third'].flatMap((heading) => [`## ${heading}`, '', bullets])
  ].join('\n')

  it('accepts an article that keeps every rule', () => {
    const { slug, frontMatter, problems } = readArticle('aws/a-slug.md', good, today)
    expect(problems).toEqual([])
    expect(slug).toBe('a-slug')
    expect(frontMatter).toMatchObject({ provider: 'aws', topic: 'storage', tags: ['one', 'two', 'three'] })
  })

  it.each([
    ['no front matter', good.replace('---\n', ''), 'there is no front matter between two --- lines'],
    ['a missing field', good.replace('asOf: 2026-01-31\n', ''), 'front matter asOf: '],
    ['a field that is not part of the format', good.replace('topic:', 'mood: fine\ntopic:'), 'front matter fields: '],
    ['a field that is there twice', good.replace('topic:', 'topic: storage\ntopic:'), 'front matter has "topic" twice'],
    ['a line that is no field', good.replace('topic:', 'nonsense\ntopic:'), 'front matter line "nonsense" is not "key: value"'],
    ['a provider of another folder', good.replace('provider: aws', 'provider: gcp'), 'provider "gcp" lies in the folder "aws"'],
    ['a topic that is not in the list', good.replace('topic: storage', 'topic: weather'), 'front matter topic: '],
    ['an address that is not https', good.replace('https://example', 'http://example'), 'front matter url: '],
    ['too few tags', good.replace('[one, two, three]', '[one, two]'), 'front matter tags: '],
    ['a tag that is there twice', good.replace('[one, two, three]', '[one, two, two]'), 'a tag is there twice'],
    ['a tag with a capital', good.replace('[one,', '[One,'), 'front matter tags.0: a tag is lower case'],
    ['a day that no calendar has', good.replace('2026-01-31', '2026-02-30'), 'asOf "2026-02-30" is not a day of the calendar'],
    ['a day in the future', good.replace('2026-01-31', '2026-11-22'), 'asOf "2026-11-22" is in the future'],
    ['HTML', good.replace('What it is.', 'What <b>it</b> is.'), 'the body has HTML'],
    ['control characters', good.replace('What it is.', 'What it\u0007 is.'), 'the body has control characters or broken Unicode'],
    ['a lone surrogate', good.replace('What it is.', 'What it \ud800 is.'), 'the body has control characters or broken Unicode'],
    ['a placeholder', good.replace('What it is.', 'TODO.'), 'the body has a placeholder'],
    ['no opening paragraph', good.replace('What it is. When to use it.\n', ''), 'the body does not open with a paragraph'],
    ['two opening paragraphs', good.replace('is. When', 'is.\n\nWhen'), 'the body does not open with exactly one paragraph'],
    ['a long opening', good.replace('What it is.', 'One. Two. Three.'), 'the first paragraph has 4 sentences, not 1 to 3'],
    ['too few sections', good.replaceAll('## Third', '').replaceAll('## Second', ''), 'the body has 1 sections, not 3 to 6'],
    ['two headings that are equal', good.replace('## Second', '## First'), 'two sections have the same heading'],
    ['an empty section', `${good}\n## Empty\n`, 'section "Empty" is empty'],
    ['a bullet without a full stop', good.replace('in a meeting.', 'in a meeting'), 'does not end as a sentence'],
    ['a bullet that starts in the middle', good.replace('- This', '- this'), 'does not start as a sentence'],
    ['a bullet that cannot stand alone', `${good}\n- Only three words.`, 'bullet "Only three words." is too short to stand alone'],
    ['a nested bullet', `${good}\n  - ${sentence}`, 'is not a plain first-level "- " bullet'],
    ['a source line without a date', `${good}\nSource: A document, https://example.com/`, 'is not "Source: title, https address, as of date"'],
    [
      'a source line of tomorrow',
      `${good}\nSource: A document, https://example.com/, as of 2027-01-01`,
      'source line date "2027-01-01" is in the future'
    ],
    ['too few words', good.replaceAll(bullets, `- ${sentence}\n`), 'words, not 250 to 600'],
    ['too many words', `${good}\n${`- ${sentence}\n`.repeat(25)}`, 'words, not 250 to 600']
  ])('names %s', (_what, text, problem) => {
    expect(articleProblems(text)).toContainEqual(expect.stringContaining(problem))
  })

  it('does not count source lines as words', () => {
    const lines = 'Source: A document with a title of very many words, https://example.com/document, as of 2026-01-31\n'.repeat(40)
    expect(articleProblems(`${good}\n${lines}`)).toEqual([])
  })

  it('names a file that is not kebab-case', () => {
    expect(readArticle('aws/A_slug.md', good, today).problems).toContain('the file name "A_slug.md" is not kebab-case')
  })

  it('survives empty and very long text', () => {
    expect(articleProblems('')).toEqual(['there is no front matter between two --- lines'])
    expect(articleProblems('x'.repeat(200_000))).toEqual(['there is no front matter between two --- lines'])
  })
})

describe('checkPriceBook', () => {
  const source = { title: 'A public price list', url: 'https://example.com/prices', asOf: '2026-01-31' }
  const item = {
    id: 'aws.s3.standard.us-east-1',
    service: 'Amazon S3',
    name: 'Standard storage',
    aliases: ['s3 standard'],
    region: 'us-east-1',
    unit: 'GB-month',
    priceUsd: '0.023',
    tiers: [
      { upTo: '51200', priceUsd: '0.023' },
      { upTo: null, priceUsd: '0.022' }
    ],
    source
  }
  const other = { ...item, id: 'aws.s3.glacier.us-east-1', aliases: ['glacier'], tiers: undefined }

  it('accepts a book that keeps every rule', () => {
    expect(bookProblems(item, other)).toEqual([])
  })

  it.each([
    ['a number instead of a decimal string', [{ ...item, priceUsd: 0.023 }], 'items.0.priceUsd: '],
    ['an exponent', [{ ...item, priceUsd: '2e-2' }], 'items.0.priceUsd: not a plain decimal string'],
    ['a negative price', [{ ...item, priceUsd: '-1' }], 'items.0.priceUsd: not a plain decimal string'],
    ['a unit that estimates cannot use', [{ ...item, unit: 'parsec' }], 'items.0.unit: '],
    ['a field that is not part of the format', [{ ...item, discount: '5' }], 'items.0: '],
    ['an id that is there twice', [item, { ...other, id: item.id }], `${item.id} is there twice`],
    ['an id of another cloud', [{ ...item, id: 'gcp.gcs.standard' }], 'gcp.gcs.standard is in the book of aws'],
    [
      'an alias that two items of a region share',
      [item, { ...other, aliases: ['S3 Standard'] }],
      'the alias "s3 standard in us-east-1" is taken by another item'
    ],
    ['a source younger than its book', [{ ...item, source: { ...source, asOf: '2026-03-01' } }], 'the source is younger than the book'],
    [
      'a source date that no calendar has',
      [{ ...item, source: { ...source, asOf: '2026-13-01' } }],
      'source date "2026-13-01" is not a day of the calendar'
    ],
    [
      'tiers that end below a ceiling',
      [{ ...item, tiers: [item.tiers[0], { upTo: '60000', priceUsd: '0.022' }] }],
      'the last tier must be open (upTo null)'
    ],
    [
      'tiers out of order',
      [{ ...item, tiers: [{ upTo: '9', priceUsd: '0.023' }, ...item.tiers.with(0, { upTo: '5', priceUsd: '1' })] }],
      'tier up to 5 does not follow 9'
    ],
    ['a price that is in none of its tiers', [{ ...item, priceUsd: '0.5' }], 'priceUsd is the price of none of its tiers']
  ])('names %s', (_what, items, problem) => {
    expect(bookProblems(...items)).toContainEqual(expect.stringContaining(problem))
  })

  it('names a book under the wrong file name', () => {
    expect(checkPriceBook('gcp.json', { provider: 'aws', asOf: '2026-02-01', currency: 'USD', items: [item] }, today)).toEqual([
      'the book of "aws" is in gcp.json'
    ])
  })
})

describe('checkQuestions', () => {
  const slugs = new Set(['amazon-s3'])
  const good = [...ask(80, ['amazon-s3'], 'good'), ...ask(30, [], 'foreign')]

  it('accepts enough questions with known articles', () => {
    expect(checkQuestions(good, slugs)).toEqual([])
  })

  it('names unknown articles, questions asked twice and too few of a kind', () => {
    const questions = [...good.slice(2), { question: 'a good question, NUMBER 2', slugs: ['nowhere'] }]
    expect(checkQuestions(questions, slugs)).toEqual([
      '"a good question, NUMBER 2" is asked twice',
      '"a good question, NUMBER 2" names the article "nowhere", which does not exist',
      '79 answerable questions, not 80'
    ])
  })

  it('names content of another shape', () => {
    expect(checkQuestions({ questions: [] }, slugs)).toHaveLength(1)
    expect(checkQuestions(null, slugs)).toHaveLength(1)
  })
})

describe('realDate', () => {
  it.each([
    ['2024-02-29', null],
    ['2026-11-21', null],
    ['2025-02-29', '"2025-02-29" is not a day of the calendar'],
    ['2026-11-22', '"2026-11-22" is in the future'],
    ['2014-12-31', '"2014-12-31" is too old to be of use'],
    ['21.11.2026', '"21.11.2026" is not YYYY-MM-DD']
  ])('judges %s', (date, problem) => {
    expect(realDate(date, today)).toBe(problem)
  })
})
