// The labelled set that retrieval is measured on, and the measuring: that it counts rightly, and how words alone do.
import { describe, expect, it } from 'vitest'
import { openLabelledBase, organisation } from '../../bench/retrieval/base.ts'
import { atLeast, outcomesOf } from '../../bench/retrieval/finders.ts'
import { rankOf, readLabelled, scoresOf, type Labelled } from '../../bench/retrieval/labelledSet.ts'
import { measureMatrix } from '../../bench/retrieval/matrixCost.ts'
import { createSqliteKnowledge } from '../../src/service/knowledge/knowledge.sqlite.ts'
import type { Passage } from '../../src/service/providers/provider.ts'
import { never } from '../fakes/service-parts.ts'

const passage = (title: string, heading: string, relevance = 1): Passage => ({
  id: `${title}#1`,
  slug: title,
  title: `${title}.md`,
  heading,
  text: '',
  provider: 'general',
  topic: '',
  source: title,
  url: '',
  date: '2026-01-01',
  relevance
})
const labelled = (...answers: readonly string[]): Labelled => ({ set: 'tuning', kind: 'near', client: '', question: 'which?', answers: [...answers] })

describe('the labelled set', () => {
  it('has questions enough in both halves, of every kind, none twice', async () => {
    const [tuning, heldOut] = [await readLabelled('tuning'), await readLabelled('held-out')]
    for (const half of [tuning, heldOut]) {
      expect(half.filter(({ answers }) => answers.length > 0).length).toBeGreaterThan(90)
      expect(half.filter(({ answers }) => answers.length === 0).length).toBeGreaterThanOrEqual(30)
      expect(new Set(half.map(({ kind }) => kind)).size).toBe(10)
    }
    const asked = [...tuning, ...heldOut].map(({ client, question }) => `${client}: ${question}`)
    expect(new Set(asked).size).toBe(asked.length)
  })

  it('names passages that are there', { timeout: 60_000 }, async () => {
    await using base = await openLabelledBase(never)
    const packed = base.store.database.prepare<[], [string, string]>('SELECT slug, heading FROM passage').raw().all()
    const read = base.store.database
      .prepare<[], [string, string]>('SELECT d.name, p.heading FROM document_passage p JOIN document d ON d.document_id = p.document_id')
      .raw()
      .all()
      .map(([name, heading]): [string, string] => [name.replace(/\.[a-z]+$/, ''), heading.split(' › ').at(-1) ?? ''])
    const known = new Set([...packed, ...read].flatMap(([document, heading]) => [document, `${document}#${heading}`]))
    const answers = [...(await readLabelled('tuning')), ...(await readLabelled('held-out'))].flatMap((one) => one.answers)
    expect(answers.filter((answer) => !known.has(answer))).toEqual([])
  })
})

describe('the scores', () => {
  it('count the first right passage, by document and heading', () => {
    expect(rankOf(labelled('offer#Prices'), [passage('offer', 'Offer › Terms'), passage('offer', 'Offer › Prices')])).toBe(2)
    expect(rankOf(labelled('offer'), [passage('offer', 'Offer › Terms')])).toBe(1)
    expect(rankOf(labelled('offer#Prices'), [passage('plan', 'Prices')])).toBeNull()
  })

  it('tell a finder that finds from one that makes things up', () => {
    const outcomes = [
      { labelled: labelled('a'), passages: [passage('a', '')] },
      { labelled: labelled('b'), passages: [passage('x', ''), passage('y', ''), passage('b', '')] },
      { labelled: labelled('c'), passages: [] },
      { labelled: labelled(), passages: [passage('z', '', 0.4)] },
      { labelled: labelled(), passages: [] }
    ]
    expect(scoresOf(outcomes)).toEqual({ answerable: 3, recall1: 0.333, recall3: 0.667, mrr: 0.444, unanswerable: 2, falseAnswers: 1 })
    expect(scoresOf(atLeast(outcomes, 0.5)).falseAnswers).toBe(0)
  })

  it('see what a byte for a float loses', () => {
    const { largestError, sizes } = measureMatrix([100])
    expect(largestError).toBeGreaterThan(0)
    expect(largestError).toBeLessThan(0.002)
    expect(sizes).toMatchObject([{ passages: 100, vectors: 170 }])
  })
})

describe('words alone, on questions that nothing was chosen on', () => {
  it(
    'find at least 35 in a hundred among the first three, and all identifiers; answer at most 3 in 10 where there is nothing',
    { timeout: 60_000 },
    async () => {
      await using base = await openLabelledBase(never)
      const knowledge = createSqliteKnowledge(base.store)
      const questions = await readLabelled('held-out')
      const outcomes = await outcomesOf(
        questions,
        async ({ question, client }) => (await knowledge.find({ text: question, scope: { organisation, client } }, never)).passages
      )
      const scores = scoresOf(outcomes)
      expect(scores.recall3).toBeGreaterThanOrEqual(0.35)
      expect(scores.falseAnswers).toBeLessThanOrEqual(scores.unanswerable * 0.3)
      expect(scoresOf(outcomes.filter(({ labelled: { kind } }) => kind === 'identifier')).recall3).toBe(1)
    }
  )
})
