// Measured on a corpus: attacks in a dozen languages and disguises, and texts that talk about the same things.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { examinePassage } from './injection.ts'

const corpus = JSON.parse(readFileSync('test/fixtures/safety/injection.json', 'utf8')) as { attacks: string[]; benign: string[] }
const filler = 'Amazon S3 stores objects in buckets. Choose a storage class by how often the data is read.\n\n'

describe('injection guard', () => {
  it.each(corpus.attacks)('finds: %s', (text) => {
    expect(examinePassage(text).isAttack).toBe(true)
  })

  it.each(corpus.benign)('leaves alone: %s', (text) => {
    expect(examinePassage(text)).toMatchObject({ isAttack: false })
  })

  it('finds every attack also in the middle of a long passage', () => {
    for (const text of corpus.attacks) expect(examinePassage(filler.repeat(20) + text + '\n\n' + filler.repeat(20)).isAttack).toBe(true)
  })

  it('leaves the whole knowledge pack alone', () => {
    const folder = 'resources/knowledge'
    const articles = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
    expect(articles.length).toBeGreaterThan(80)
    for (const name of articles) {
      expect({ name, ...examinePassage(readFileSync(join(folder, name), 'utf8')) }).toMatchObject({ name, isAttack: false })
    }
  })

  it('takes away what a reader would not see', () => {
    expect(examinePassage('pay\u200B\u202Ement <|im_start|> due').text).toBe('payment   due')
  })

  it('takes time in proportion to the text', () => {
    for (const text of [
      'ignore '.repeat(30_000),
      'a b c '.repeat(35_000),
      'A'.repeat(200_000),
      'send '.repeat(40_000),
      '![](https://'.repeat(15_000)
    ]) {
      const start = performance.now()
      examinePassage(text)
      expect(performance.now() - start).toBeLessThan(3_000)
    }
  })
})
