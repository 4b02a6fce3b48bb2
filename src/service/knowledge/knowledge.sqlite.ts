// The knowledge base in the service's store: the shelves find and score words, `relevance.ts` decides.
import { namedProviders } from '../cost/places.ts'
import type { Store } from '../store/store.ts'
import type { Article, Knowledge, KnowledgeIndex, Section } from './knowledge.ts'
import { rank, type Candidate, type ConceptHits } from './relevance.ts'
import { clientKey } from './client.ts'
import { createShelves, idf, type Shelf } from './shelves.sqlite.ts'
import { conceptsOf, ftsPhrase, type Concept } from './words.ts'

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

export function createSqliteKnowledge({ database, writer }: Pick<Store, 'database' | 'writer'>): Knowledge & KnowledgeIndex {
  const shelves = createShelves(database)
  const selectHashes = database.prepare<[], { slug: string; hash: string }>('SELECT slug, hash FROM article')
  const insertArticle = database.prepare<[string, string, string, string, string, string, string, string]>(
    'INSERT INTO article (slug, hash, title, provider, topic, source, url, as_of) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
  )
  const insertPassage = database.prepare<[string, number, string, string, string, string, string]>(
    'INSERT INTO passage (slug, ordinal, heading, body, source, url, as_of) VALUES (?, ?, ?, ?, ?, ?, ?)'
  )
  const insertIndex = database.prepare<[number | bigint, string, string, string, string]>(
    'INSERT INTO passage_index (rowid, title, heading, tags, body) VALUES (?, ?, ?, ?, ?)'
  )
  const removeIndex = database.prepare<[string]>('DELETE FROM passage_index WHERE rowid IN (SELECT passage_id FROM passage WHERE slug = ?)')
  const removePassages = database.prepare<[string]>('DELETE FROM passage WHERE slug = ?')
  const removeArticle = database.prepare<[string]>('DELETE FROM article WHERE slug = ?')

  const remove = (slug: string): void => {
    removeIndex.run(slug)
    removePassages.run(slug)
    removeArticle.run(slug)
  }
  const insertSection = (article: Article, section: Section, ordinal: number): void => {
    const { heading, body, source, url, asOf } = section
    const { lastInsertRowid } = insertPassage.run(article.slug, ordinal, heading, body, source, url, asOf)
    insertIndex.run(lastInsertRowid, article.title, heading, [...article.tags, article.provider, article.topic].join(', '), body)
  }

  /** Where one concept is found, under whichever of its names says most: many names of a thing don't make it count more. */
  const hitsOf = ({ forms }: Concept, open: readonly Shelf[], candidates: Map<string, Candidate>): Found => {
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

  return {
    async find({ text, context = '', wantsPractice = false, limit = USUAL_LIMIT, scope }) {
      // Nothing is to be found where nothing is.
      const open = shelves.open(scope).filter(({ count }) => count > 0)
      const candidates = new Map<string, Candidate>()
      // The client's own documents need not name it on every page.
      const isClient = isNameOf(scope?.client ?? '')
      const all = conceptsOf(text).map((concept) => hitsOf(concept, open, candidates))
      completeCommon(all)
      const telling = all.filter(({ forms, scores }) => scores.size > 0 || !isClient(forms[0] ?? ''))
      const concepts = telling.some(({ scores }) => scores.size > 0) ? telling : all
      const asked = namedProviders(text)
      const { passages, weights } = rank(concepts, [...candidates.values()], {
        passageCount: open.reduce((sum, shelf) => sum + shelf.count, 0),
        providers: asked.length > 0 ? asked : namedProviders(context),
        wantsPractice,
        wantsComparison: /\b(compare[ds]?|comparison|versus|vs|differ\w*|better|or)\b/i.test(text),
        limit
      })
      return {
        passages: passages.flatMap(({ passageId, relevance }) => {
          const passage = open.map((shelf) => shelf.passage(passageId)).find((one) => one !== null)
          return passage === undefined || passage === null ? [] : [{ ...passage, relevance }]
        }),
        terms: concepts.map(({ forms }, index) => ({ forms, weight: weights[index] ?? 0 }))
      }
    },
    hashes: async () => new Map(selectHashes.all().map(({ slug, hash }) => [slug, hash])),
    replace: (article, hash) =>
      writer.write(() => {
        remove(article.slug)
        const { slug, title, provider, topic, source, url, asOf } = article
        insertArticle.run(slug, hash, title, provider, topic, source, url, asOf)
        for (const [ordinal, section] of article.sections.entries()) insertSection(article, section, ordinal)
      }),
    remove: (slug) => writer.write(() => remove(slug))
  }
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
  const words = new Set(clientKey(client).match(/[\p{L}\p{N}]+/gu) ?? [])
  return (form) => form.split(' ').every((word) => words.has(word))
}
