// The labelled questions over the pack and over documents of several clients, half of them for choosing figures, half for
// reporting them; and what counts as found.
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { Passage } from '../../src/service/providers/provider.ts'

const labelledSchema = z.strictObject({
  set: z.enum(['tuning', 'held-out']),
  kind: z.enum(['pack', 'paraphrase', 'identifier', 'number', 'typo', 'german', 'french', 'off-topic', 'near', 'other-client']),
  /** Empty: no client's meeting. */
  client: z.string(),
  question: z.string().min(1),
  /** `<file without its ending>#<last heading>`, `…#` for what stands before the first, without `#` for anything in it. None: nothing answers it. */
  answers: z.array(z.string().min(1))
})

export type Labelled = z.infer<typeof labelledSchema>
export type LabelledSet = Labelled['set']

export const documentsFolder = 'test/fixtures/retrieval/documents'

/** Throws `ZodError` for a line that is no question. */
export async function readLabelled(set: LabelledSet): Promise<Labelled[]> {
  const lines = (await readFile('test/fixtures/retrieval/questions.jsonl', 'utf8')).trim().split('\n')
  return lines.map((line) => labelledSchema.parse(JSON.parse(line))).filter((labelled) => labelled.set === set)
}

/** Rank of the first passage that answers, from 1; null: none does. */
export function rankOf({ answers }: Labelled, passages: readonly Passage[]): number | null {
  const index = passages.findIndex((passage) => {
    const document = passage.url === '' ? passage.title.replace(/\.[a-z]+$/, '') : passage.slug
    const heading = passage.heading.split(' › ').at(-1) ?? ''
    return answers.includes(document) || answers.includes(`${document}#${heading}`)
  })
  return index < 0 ? null : index + 1
}

export interface Scores {
  readonly answerable: number
  readonly recall1: number
  readonly recall3: number
  readonly mrr: number
  readonly unanswerable: number
  /** Questions that nothing answers and that got passages all the same. */
  readonly falseAnswers: number
}

export interface Outcome {
  readonly labelled: Labelled
  readonly passages: readonly Passage[]
}

export function scoresOf(outcomes: readonly Outcome[]): Scores {
  const answerable = outcomes.filter(({ labelled }) => labelled.answers.length > 0)
  const unanswerable = outcomes.filter(({ labelled }) => labelled.answers.length === 0)
  const ranks = answerable.map(({ labelled, passages }) => rankOf(labelled, passages))
  const share = (isIn: (rank: number) => boolean): number => round(ranks.filter((rank) => rank !== null && isIn(rank)).length / ranks.length)
  return {
    answerable: answerable.length,
    recall1: share((rank) => rank === 1),
    recall3: share((rank) => rank <= 3),
    mrr: round(ranks.reduce<number>((sum, rank) => sum + (rank === null ? 0 : 1 / rank), 0) / ranks.length),
    unanswerable: unanswerable.length,
    falseAnswers: unanswerable.filter(({ passages }) => passages.length > 0).length
  }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
