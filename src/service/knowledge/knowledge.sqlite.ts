// The knowledge base in the service's store: the shelves find words, the model finds meaning, `relevance.ts` decides.
import type { Store } from '../store/store.ts'
import type { Article, Knowledge, KnowledgeIndex, Section } from './knowledge.ts'
import { createLookUp, withMeaning } from './lookup.sqlite.ts'
import type { Meaning } from './meaning.ts'
import { rank } from './relevance.ts'
import { createShelves } from './shelves.sqlite.ts'

/** `meaning` null: words alone. */
export function createSqliteKnowledge(
  { database, writer }: Pick<Store, 'database' | 'writer'>,
  meaning: Pick<Meaning, 'nearest'> | null = null
): Knowledge & KnowledgeIndex {
  const shelves = createShelves(database)
  const lookUp = createLookUp()
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

  return {
    async find(query, signal) {
      const visible = shelves.open(query.scope)
      // The model thinks on its own thread while the words are looked up here.
      const thinking = meaning?.nearest(
        query.text,
        visible.map(({ id }) => id)
      )
      // Nothing is to be found where nothing is.
      const open = visible.filter(({ count }) => count > 0)
      const looked = lookUp(query, open)
      const similarities = (await thinking) ?? null
      signal.throwIfAborted()
      const { concepts, candidates, options } = similarities === null ? looked : withMeaning(looked, similarities, open)
      const { passages, weights } = rank(concepts, candidates, options)
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
        shelves.packChanged()
        remove(article.slug)
        const { slug, title, provider, topic, source, url, asOf } = article
        insertArticle.run(slug, hash, title, provider, topic, source, url, asOf)
        for (const [ordinal, section] of article.sections.entries()) insertSection(article, section, ordinal)
      }),
    remove: (slug) =>
      writer.write(() => {
        shelves.packChanged()
        remove(slug)
      })
  }
}
