// What the open shelves have to say about a question: where each of its words is found, misspelt ones as they were meant, and
// what is near to it in meaning. Ranking decides afterwards.
import { namedProviders } from '../cost/places.ts'
import { clientKey } from './client.ts'
import type { KnowledgeQuery } from './knowledge.ts'
import type { Candidate, ConceptHits, RankingOptions } from './relevance.ts'
import { idf, type Shelf } from './shelves.sqlite.ts'
import { canBeMisspelt, nearestStems } from './spelling.ts'
import { conceptsOf, ftsPhrase, type Concept } from './words.ts'

export interface Looked {
  readonly concepts: readonly ConceptHits[]
  readonly candidates: readonly Candidate[]
  readonly options: RankingOptions
}

/** A phrase that is in very many passages of a shelf. */
interface Common {
  readonly shelf: Shelf
  readonly phrase: string
  readonly score: number
}

interface Found extends ConceptHits {
  readonly scores: Map<string, number>
  readonly common: readonly Common[]
}

const MOST_COMPLETED = 100
const USUAL_LIMIT = 8
/** What another name of the thing is worth against the one that was said. */
const OTHER_NAME = 0.8
/** A misspelt word is looked for among those that begin as it does. */
const SURE_LETTERS = 2

/** By words; reads the shelves now. */
export function lookUp({ text, context = '', wantsPractice = false, limit = USUAL_LIMIT, scope }: KnowledgeQuery, open: readonly Shelf[]): Looked {
  const candidates = new Map<string, Candidate>()
  const passageCount = open.reduce((sum, shelf) => sum + shelf.count, 0)
  // The client's own documents need not name it on every page.
  const isClient = isNameOf(scope?.client ?? '')
  const all = conceptsOf(text).map((concept) => {
    const hits = hitsOf(concept, open, candidates)
    const meant = hits.scores.size === 0 && !isClient(concept.forms[0] ?? '') ? meantBy(concept, open) : null
    return meant === null ? hits : hitsOf(meant, open, candidates)
  })
  completeCommon(all)
  const telling = all.filter(({ forms, scores }) => scores.size > 0 || !isClient(forms[0] ?? ''))
  const asked = namedProviders(text)
  return {
    concepts: telling.some(({ scores }) => scores.size > 0) ? telling : all,
    candidates: [...candidates.values()],
    options: {
      passageCount,
      providers: asked.length > 0 ? asked : namedProviders(context),
      wantsPractice,
      wantsComparison: /\b(compare[ds]?|comparison|versus|vs|differ\w*|better|or)\b/i.test(text),
      limit,
      similarities: null
    }
  }
}

/** The same with what is near in meaning, which its words may not have found. */
export function withMeaning({ concepts, candidates, options }: Looked, similarities: ReadonlyMap<string, number>, open: readonly Shelf[]): Looked {
  const known = new Set(candidates.map(({ passageId }) => passageId))
  const near = [...similarities.keys()].flatMap((id) => {
    const candidate = known.has(id) ? null : open.map((shelf) => shelf.candidate(id)).find((one) => one !== null)
    return candidate === null || candidate === undefined ? [] : [candidate]
  })
  return { concepts, candidates: [...candidates, ...near], options: { ...options, similarities } }
}

/** Where one concept is found, under whichever of its names says most: many names of a thing don't make it count more. */
function hitsOf({ forms }: Concept, open: readonly Shelf[], candidates: Map<string, Candidate>): Found {
  const scores = new Map<string, number>()
  const passages = open.reduce((sum, shelf) => sum + shelf.count, 0)
  const common: Common[] = []
  let found = 0
  for (const [index, form] of forms.entries()) {
    const hits = open.map((shelf) => ({ shelf, ...shelf.hits(ftsPhrase(form)) }))
    const count = hits.reduce((sum, { total }) => sum + total, 0)
    found = Math.max(found, count)
    for (const { shelf, total, rows, isCommon } of hits) {
      // Each shelf scores by its own words; a small one would count a word as common that is rare in all that is visible.
      const scale = (idf(count, passages) / idf(total, shelf.count)) * (index === 0 ? 1 : OTHER_NAME)
      if (isCommon) common.push({ shelf, phrase: ftsPhrase(form), score: scale * idf(total, shelf.count) })
      for (const { candidate, score: own } of rows) {
        const score = own * scale
        scores.set(candidate.passageId, Math.max(score, scores.get(candidate.passageId) ?? 0))
        candidates.set(candidate.passageId, candidate)
      }
    }
  }
  return { forms, scores, common, found: Math.max(found, scores.size), named: new Set(open.flatMap((shelf) => [...shelf.named(forms)])) }
}

/** What a word that is nowhere may have been meant to be; null: nothing is near it. */
function meantBy({ forms }: Concept, open: readonly Shelf[]): Concept | null {
  const [said = ''] = forms
  if (forms.length > 1 || !canBeMisspelt(said)) return null
  const beginning = said.slice(0, SURE_LETTERS)
  const stems = nearestStems(said, new Set(open.flatMap((shelf) => [...shelf.stems(beginning)])))
  // The word itself stays its first name, so that another spelling of it is worth a little less.
  return stems.length === 0 ? null : { forms: [said, ...stems] }
}

/** A common word is looked for where the rarer ones were found: all the passages it is in would take too long. */
function completeCommon(concepts: readonly Found[]): void {
  if (concepts.every(({ common }) => common.length === 0)) return
  const sums = new Map<string, number>()
  for (const { scores } of concepts) for (const [id, score] of scores) sums.set(id, (sums.get(id) ?? 0) + score)
  const best = [...sums].toSorted((a, b) => b[1] - a[1]).slice(0, MOST_COMPLETED)
  for (const { scores, common } of concepts) {
    for (const { shelf, phrase, score } of common) {
      for (const [id] of best) if (!scores.has(id) && shelf.has(phrase, id)) scores.set(id, score)
    }
  }
}

function isNameOf(client: string): (form: string) => boolean {
  if (client === '') return () => false
  const words = new Set(clientKey(client).match(/[\p{L}\p{N}]+/gu) ?? [])
  return (form) => form.split(' ').every((word) => words.has(word))
}
