// Decides which passages answer a question, and whether any does, by its words and, where that is known, by how near they are
// in meaning. Pure; the figures were chosen on the tuning questions in test/fixtures (retrieval/questions.jsonl and the two older
// sets); retrieval.test.ts and bench:retrieval hold them in place.

/** One word of the question and where it was found: BM25 score by passage, higher is better. */
export interface ConceptHits {
  readonly forms: readonly string[]
  readonly scores: ReadonlyMap<string, number>
  /** In how many passages; `scores` may hold only the best of them. */
  readonly found: number
}

export interface Candidate {
  readonly passageId: string
  readonly slug: string
  readonly provider: string
  readonly heading: string
  readonly isOpening: boolean
  /** In a document of the meeting's own client. */
  readonly isOwn: boolean
}

export interface RankingOptions {
  /** Cosine of each passage to the question, of the nearest; null: not known, words alone. */
  readonly similarities: ReadonlyMap<string, number> | null
  /** Passages in the knowledge base. */
  readonly passageCount: number
  /** Clouds that the question or, failing that, the session names. */
  readonly providers: readonly string[]
  readonly wantsPractice: boolean
  readonly wantsComparison: boolean
  readonly limit: number
}

interface Ranked {
  readonly passageId: string
  readonly relevance: number
}

export interface Ranking {
  readonly passages: readonly Ranked[]
  /** Weight of each concept, in their order. */
  readonly weights: readonly number[]
}

/** What says whether a passage is an answer. */
interface Signs {
  readonly candidate: Candidate
  /** BM25, more where more of the question is covered. */
  readonly words: number
  /** What the kind of passage makes of the score. */
  readonly liking: number
  /** Part of the question's weight that is in the passage. */
  readonly covered: number
  readonly similarity: number
}

/** What speaks for one that is. */
interface Evidence {
  readonly candidate: Candidate
  readonly score: number
  /** Part of the question's weight in the passage, and in its article. */
  readonly covered: number
  readonly coverage: number
  readonly similarity: number
}

/** BM25 points that a cosine of 1 is worth. */
const SIMILAR = 12
/** In a client's meeting its own documents are meant first. */
const OWN = 2
/** Passages below this part of the best one's score are left out. */
const TAIL = 0.3
const PASSAGES_PER_ARTICLE = 4

/** BM25's idf (Robertson and Spärck Jones), never below a little. A word that nothing contains weighs as much as the rarest. */
function weightOf(found: number, passageCount: number): number {
  return Math.max(0.2, Math.log((passageCount - found + 0.5) / (found + 0.5) + 1))
}

interface Article {
  /** Weight of the words that its passages have together. */
  covered: number
  /** The last concept that is counted in `covered`: each counts once, in however many passages it is. */
  counted: number
}

interface Weighed {
  readonly candidate: Candidate
  readonly article: Article
  bm25: number
  /** Weight of the words that it has. */
  has: number
}

/** What speaks for each candidate that may be an answer. */
function evidenceOf(concepts: readonly ConceptHits[], candidates: readonly Candidate[], { options, weights, bar }: Weighing): Evidence[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const part = (weight: number): number => (total === 0 ? 0 : weight / total)

  /** An article as a whole covers a question; its passages then compete for the words. */
  const articles = new Map<string, Article>()
  const weighed = new Map<string, Weighed>()
  for (const candidate of candidates) {
    let article = articles.get(candidate.slug)
    if (article === undefined) articles.set(candidate.slug, (article = { covered: 0, counted: -1 }))
    weighed.set(candidate.passageId, { candidate, article, bm25: 0, has: 0 })
  }
  // By what was found and not by every passage and word: most passages have one word of the question.
  for (const [index, { scores }] of concepts.entries()) {
    const weight = weights[index] ?? 0
    for (const [passageId, score] of scores) {
      const passage = weighed.get(passageId)
      if (passage === undefined) continue
      const { article } = passage
      passage.bm25 += score
      passage.has += weight
      if (article.counted !== index) article.covered += weight
      article.counted = index
    }
  }

  const evidence: Evidence[] = []
  for (const { candidate, article, bm25, has } of weighed.values()) {
    const covered = part(has)
    const coverage = part(article.covered)
    const similarity = Math.max(0, options.similarities?.get(candidate.passageId) ?? 0)
    const words = bm25 * (0.4 + 0.5 * covered + 0.5 * coverage)
    const liking = preference(candidate, options)
    if (!isAnswer({ candidate, words, liking, covered, similarity }, bar)) continue
    const score = (words + SIMILAR * similarity) * liking * (candidate.isOwn ? OWN : 1)
    evidence.push({ candidate, score, covered, coverage, similarity })
  }
  return evidence
}

interface Weighing {
  readonly options: RankingOptions
  /** Of each concept. */
  readonly weights: readonly number[]
  readonly bar: Bar
}

function weightsOf(concepts: readonly ConceptHits[], { passageCount }: RankingOptions): number[] {
  return concepts.map((hits) => weightOf(hits.found, passageCount))
}

export function rank(concepts: readonly ConceptHits[], candidates: readonly Candidate[], options: RankingOptions): Ranking {
  const bar: Bar = {
    odds: options.similarities === null ? ODDS.byWords : ODDS.byMeaning,
    rarest: weightOf(0, options.passageCount),
    unknown: concepts.filter(({ scores }) => scores.size === 0).length / Math.max(1, concepts.length)
  }
  const weights = weightsOf(concepts, options)
  const evidence = evidenceOf(concepts, candidates, { options, weights, bar }).sort((a, b) => b.score - a.score)
  const best = evidence[0]?.score ?? 0
  const perArticle = new Map<string, number>()
  const passages: Ranked[] = []
  for (const { candidate, covered, coverage, similarity, score } of evidence) {
    const used = perArticle.get(candidate.slug) ?? 0
    if (passages.length >= options.limit || score < best * TAIL) break
    if (used >= PASSAGES_PER_ARTICLE) continue
    perArticle.set(candidate.slug, used + 1)
    passages.push({ passageId: candidate.passageId, relevance: Math.max(0.5 * covered + 0.5 * coverage, similarity) })
  }
  return { passages, weights }
}

/**
 * Whether a passage may be an answer: it has every word of the question, or its log-odds are above 0. Those are a logistic regression
 * over what speaks for the best passage of each tuning question, its words in units of the rarest there can be, so that a
 * small base counts as a large one does. The bias is 0.9 (by meaning: 1) below the regression's: saying nothing costs less
 * than answering where there is nothing, and by meaning no more false answers were given to the tuning questions than by words.
 */
const ODDS = {
  byWords: { words: 2.68, own: 1.04, unknown: -1.53, similarity: 0, bias: -5.5 },
  byMeaning: { words: 1.68, own: 1.51, unknown: -1.95, similarity: 1.05, bias: -3.64 }
}
/** The weight of the rarest word in the base that the figures were chosen on. */
const RAREST = 6.5
const WHOLE = 0.999

interface Bar {
  readonly odds: (typeof ODDS)[keyof typeof ODDS]
  readonly rarest: number
  /** Part of the question's words that is nowhere: speaks against all that was found by the others. */
  readonly unknown: number
}

function isAnswer({ words, liking, similarity, covered, candidate }: Signs, { odds, rarest, unknown }: Bar): boolean {
  if (covered >= WHOLE) return true
  const byWords = odds.words * Math.log1p((RAREST * words * liking) / rarest)
  return byWords + (candidate.isOwn ? odds.own : 0) + odds.unknown * unknown + odds.similarity * similarity + odds.bias > 0
}

const practiceHeading = /secur|practice|pitfall|lever|recover|avail|resil|design|operat|govern|protect|access|how to|choose/i

const comparisonHeading = /compar|differ|versus|\bvs\b| or |when to|choos/i
/** Sections that ask instead of answering. */
const questionHeading = /^questions\b/i

function preference(candidate: Candidate, { providers, wantsPractice, wantsComparison }: RankingOptions): number {
  const fits = providers.length === 0 || candidate.provider === 'general' || providers.includes(candidate.provider)
  const provider = fits ? 1 : 0.5
  if (questionHeading.test(candidate.heading)) return provider * 0.4
  if (wantsComparison && comparisonHeading.test(candidate.heading)) return provider * 1.5
  if (wantsPractice) return provider * (practiceHeading.test(candidate.heading) ? 1.3 : 0.8)
  return provider * (candidate.isOpening ? 1.15 : 1)
}
