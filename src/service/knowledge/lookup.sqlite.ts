// What the open shelves have to say about a question: where each of its words is found, misspelt ones as they were meant, and
// what is near to it in meaning. Ranking decides afterwards.
import { LRUCache } from 'lru-cache'
import { namedProviders } from '../cost/places.ts'
import { clientKey } from './client.ts'
import type { KnowledgeQuery } from './knowledge.ts'
import type { Candidate, ConceptHits, RankingOptions } from './relevance.ts'
import { idf, PACK_SHELF, type Shelf } from './shelves.sqlite.ts'
import { canBeMisspelt, nearestOf } from './spelling.ts'
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
  /** Where it is found. */
  readonly candidates: readonly Candidate[]
  readonly common: readonly Common[]
}

/** Where a concept is found on these shelves. */
type Find = (concept: Concept, open: readonly Shelf[]) => Found

/** By words; reads the shelves now. */
export type LookUp = (query: KnowledgeQuery, open: readonly Shelf[]) => Looked

const MOST_COMPLETED = 100
/** Places that are remembered of the pack's: some megabytes. */
const MOST_REMEMBERED = 20_000
const USUAL_LIMIT = 8
/** What another name of the thing is worth against the one that was said. */
const OTHER_NAME = 0.8

export function createLookUp(): LookUp {
  const find = rememberingPack(hitsOf)
  return (query, open) => look(query, open, find)
}

/** Most questions see nothing but the pack, and ask it about the same things. It is another shelf once it has changed. */
function rememberingPack(find: Find): Find {
  const known = new LRUCache<string, Found>({ maxSize: MOST_REMEMBERED, sizeCalculation: ({ scores }) => scores.size + 1 })
  let pack: Shelf | undefined
  return (concept, open) => {
    const [only] = open
    if (open.length !== 1 || only?.id !== PACK_SHELF) return find(concept, open)
    if (only !== pack) known.clear()
    pack = only
    const key = concept.forms.join('\n')
    const kept = known.get(key)
    if (kept !== undefined) return kept
    const found = find(concept, open)
    // What is common is completed for each question by itself.
    if (found.common.length === 0) known.set(key, found)
    return found
  }
}

function look({ text, context = '', wantsPractice = false, limit = USUAL_LIMIT, scope }: KnowledgeQuery, open: readonly Shelf[], find: Find): Looked {
  const passageCount = open.reduce((sum, shelf) => sum + shelf.count, 0)
  // The client's own documents need not name it on every page.
  const isClient = isNameOf(scope?.client ?? '')
  const all = conceptsOf(text).map((concept) => {
    const hits = find(concept, open)
    const meant = hits.scores.size === 0 && !isClient(concept.forms[0] ?? '') ? meantBy(concept, open) : null
    return meant === null ? hits : find(meant, open)
  })
  const candidates = new Map<string, Candidate>()
  for (const hits of all) for (const candidate of hits.candidates) candidates.set(candidate.passageId, candidate)
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

const NOWHERE: Omit<Found, 'forms'> = { scores: new Map(), candidates: [], common: [], found: 0 }

/** Where one concept is found, under whichever of its names says most: many names of a thing don't make it count more. */
function hitsOf({ forms }: Concept, open: readonly Shelf[]): Found {
  if (open.length === 0) return { forms, ...NOWHERE }
  const scores = new Map<string, number>()
  const candidates: Candidate[] = []
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
        const before = scores.get(candidate.passageId)
        if (before === undefined) candidates.push(candidate)
        scores.set(candidate.passageId, Math.max(score, before ?? 0))
      }
    }
  }
  return { forms, scores, candidates, common, found: Math.max(found, scores.size) }
}

/** What a word that is nowhere may have been meant to be; null: nothing is near it. */
function meantBy({ forms }: Concept, open: readonly Shelf[]): Concept | null {
  const [said = ''] = forms
  if (open.length === 0 || forms.length > 1 || !canBeMisspelt(said)) return null
  const stems = nearestOf(open.map((shelf) => shelf.near(said)))
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
