// The knowledge base: the port between the agent and whatever finds passages for a question.
import type { Passage, Term } from '../providers/provider.ts'
import type { Scope } from './client.ts'

export interface KnowledgeQuery {
  readonly text: string
  /** What the session says about itself: which clouds the client uses. Breaks ties, finds nothing by itself. */
  readonly context?: string
  /** Prefer the sections that say how to do it well. */
  readonly wantsPractice?: boolean
  readonly limit?: number
  /** Whose documents may be found beside the pack; absent: nobody's. */
  readonly scope?: Scope
}

export interface Findings {
  /** Best first; empty when nothing fits. */
  readonly passages: readonly Passage[]
  readonly terms: readonly Term[]
}

export interface Knowledge {
  find(query: KnowledgeQuery, signal: AbortSignal): Promise<Findings>
}

/** One section, as it is indexed. */
export interface Section {
  readonly heading: string
  readonly body: string
  /** Its own source where it states one, else the article's. */
  readonly source: string
  readonly url: string
  readonly asOf: string
}

export interface Article {
  /** The file's name without its ending; unique in the knowledge base. */
  readonly slug: string
  readonly title: string
  readonly provider: string
  readonly topic: string
  readonly source: string
  readonly url: string
  readonly asOf: string
  readonly tags: readonly string[]
  readonly sections: readonly Section[]
}

/** Where articles are kept: what ingest needs of the index. */
export interface KnowledgeIndex {
  /** Content hash by slug. */
  hashes(): Promise<ReadonlyMap<string, string>>
  replace(article: Article, hash: string): Promise<void>
  remove(slug: string): Promise<void>
}
