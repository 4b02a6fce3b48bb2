// The knowledge base in the service's store: FTS5 finds and scores words, `relevance.ts` decides.
import { namedProviders } from '../cost/places.ts'
import type { Passage } from '../providers/provider.ts'
import type { Store } from '../store/store.ts'
import type { Article, Knowledge, KnowledgeIndex, Section } from './knowledge.ts'
import { rank, type Candidate, type ConceptHits } from './relevance.ts'
import { conceptsOf, ftsPhrase, type Concept } from './words.ts'

interface HitRow {
  passage_id: number
  slug: string
  provider: string
  heading: string
  ordinal: number
  score: number
}

interface PassageRow {
  passage_id: number
  slug: string
  ordinal: number
  heading: string
  body: string
  source: string
  url: string
  as_of: string
  title: string
  provider: string
  topic: string
}

const USUAL_LIMIT = 8
/** What another name of the thing is worth against the one that was said. */
const OTHER_NAME = 0.8

export function createSqliteKnowledge({ database, writer }: Pick<Store, 'database' | 'writer'>): Knowledge & KnowledgeIndex {
  // FTS5's bm25() is negative, better is smaller. Columns: title, heading, tags, body.
  const selectHits = database.prepare<[string], HitRow>(`
    SELECT p.passage_id, p.slug, a.provider, p.heading, p.ordinal, -bm25(passage_index, 4.0, 2.5, 2.5, 1.0) AS score
    FROM passage_index JOIN passage p ON p.passage_id = passage_index.rowid JOIN article a ON a.slug = p.slug
    WHERE passage_index MATCH ?`)
  const selectNamed = database
    .prepare<[string], string>(
      `SELECT DISTINCT p.slug FROM passage_index JOIN passage p ON p.passage_id = passage_index.rowid WHERE passage_index MATCH ?`
    )
    .pluck()
  const selectPassage = database.prepare<[number], PassageRow>(
    `SELECT p.*, a.title, a.provider, a.topic FROM passage p JOIN article a ON a.slug = p.slug WHERE p.passage_id = ?`
  )
  const countPassages = database.prepare<[], number>('SELECT count(*) FROM passage').pluck()
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
  const hitsOf = ({ forms }: Concept, candidates: Map<number, Candidate>): ConceptHits => {
    const scores = new Map<number, number>()
    for (const [index, form] of forms.entries()) {
      for (const row of selectHits.iterate(ftsPhrase(form))) {
        const score = row.score * (index === 0 ? 1 : OTHER_NAME)
        scores.set(row.passage_id, Math.max(score, scores.get(row.passage_id) ?? 0))
        const { passage_id: passageId, slug, provider, heading } = row
        candidates.set(passageId, { passageId, slug, provider, heading, isOpening: row.ordinal === 0 })
      }
    }
    return { forms, scores, named: new Set(selectNamed.iterate(`{title tags} : (${forms.map(ftsPhrase).join(' OR ')})`)) }
  }

  return {
    async find({ text, context = '', wantsPractice = false, limit = USUAL_LIMIT }) {
      const candidates = new Map<number, Candidate>()
      const concepts = conceptsOf(text).map((concept) => hitsOf(concept, candidates))
      const asked = namedProviders(text)
      const { passages, weights } = rank(concepts, [...candidates.values()], {
        passageCount: countPassages.get() ?? 0,
        providers: asked.length > 0 ? asked : namedProviders(context),
        wantsPractice,
        wantsComparison: /\b(compare[ds]?|comparison|versus|vs|differ\w*|better|or)\b/i.test(text),
        limit
      })
      return {
        passages: passages.flatMap(({ passageId, relevance }) => {
          const row = selectPassage.get(passageId)
          return row === undefined ? [] : [passageOf(row, relevance)]
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

function passageOf(row: PassageRow, relevance: number): Passage {
  return {
    id: `${row.slug}#${row.ordinal}`,
    slug: row.slug,
    title: row.title,
    heading: row.heading,
    text: row.body,
    provider: row.provider,
    topic: row.topic,
    source: row.source,
    url: row.url,
    date: row.as_of,
    relevance
  }
}
