// The three ways of finding that are compared: by words, by meaning, and by both as the service does it.
import { setTimeout as pause } from 'node:timers/promises'
import { createSqliteKnowledge } from '../../src/service/knowledge/knowledge.sqlite.ts'
import { createMeaning, type LeftToWords, type Meaning } from '../../src/service/knowledge/meaning.ts'
import type { MeaningModel } from '../../src/service/knowledge/model.ts'
import { createShelves } from '../../src/service/knowledge/shelves.sqlite.ts'
import { createSqliteVectors } from '../../src/service/knowledge/vectors.sqlite.ts'
import type { Passage } from '../../src/service/providers/provider.ts'
import { organisation, type LabelledBase } from './base.ts'
import type { Labelled, Outcome } from './labelledSet.ts'

export type Find = (labelled: Labelled) => Promise<readonly Passage[]>

export interface Finders {
  readonly words: Find
  /** By cosine alone, nearest first, whatever it is. */
  readonly meaning: Find
  readonly both: Find
  /** How often words had to do, by reason. */
  readonly leftToWords: Readonly<Partial<Record<LeftToWords, number>>>
}

const never = new AbortController().signal
const FOUND = 8
const LOOK_EVERY_MS = 20

/** All passages are embedded, and those of all these clients held, when it resolves. The caller stops `meaning`. */
export async function openFinders(
  { store }: LabelledBase,
  model: MeaningModel,
  { clients, waitMs }: { readonly clients: readonly string[]; readonly waitMs?: number }
): Promise<{ readonly finders: Finders; readonly meaning: Meaning }> {
  const leftToWords: Partial<Record<LeftToWords, number>> = {}
  const meaning = createMeaning({
    model,
    vectors: createSqliteVectors(store),
    share: 1,
    ...(waitMs === undefined ? {} : { waitMs }),
    onLeftToWords: (reason) => void (leftToWords[reason] = (leftToWords[reason] ?? 0) + 1),
    onFault: (error) => {
      throw error
    }
  })
  const shelves = createShelves(store.database)
  const openTo = (client: string) => shelves.open({ organisation, client })
  for (const client of clients) {
    const ids = openTo(client).map(({ id }) => id)
    while ((await meaning.nearest('Is anybody there?', ids)) === null && leftToWords.cold !== undefined) {
      delete leftToWords.cold
      await meaning.settled()
      await pause(LOOK_EVERY_MS)
    }
  }
  for (const reason of ['cold', 'slow'] as const) delete leftToWords[reason]
  const words = createSqliteKnowledge(store)
  const both = createSqliteKnowledge(store, meaning)
  const scopeOf = ({ client }: Labelled) => ({ organisation, client })
  return {
    meaning,
    finders: {
      leftToWords,
      words: async (labelled) => (await words.find({ text: labelled.question, scope: scopeOf(labelled) }, never)).passages,
      both: async (labelled) => (await both.find({ text: labelled.question, scope: scopeOf(labelled) }, never)).passages,
      async meaning({ question, client }) {
        const open = openTo(client)
        const near = await meaning.nearest(
          question,
          open.map(({ id }) => id)
        )
        return [...(near ?? [])].slice(0, FOUND).flatMap(([id, relevance]) => {
          const passage = open.map((shelf) => shelf.passage(id)).find((one) => one !== null)
          return passage === undefined || passage === null ? [] : [{ ...passage, relevance }]
        })
      }
    }
  }
}

export async function outcomesOf(questions: readonly Labelled[], find: Find): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const labelled of questions) outcomes.push({ labelled, passages: await find(labelled) })
  return outcomes
}

/** Without what is less near than `least`. */
export function atLeast(outcomes: readonly Outcome[], least: number): Outcome[] {
  return outcomes.map(({ labelled, passages }) => ({ labelled, passages: passages.filter(({ relevance }) => relevance >= least) }))
}
