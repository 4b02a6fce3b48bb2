// Decides which passages answer a question, and whether any does. Pure; the figures come from
// test/fixtures/retrieval-questions.json (see retrieval.test.ts, which holds them in place).

/** One word of the question and where it was found: BM25 score by passage, higher is better. */
export interface ConceptHits {
  readonly forms: readonly string[]
  readonly scores: ReadonlyMap<string, number>
  /** In how many passages; `scores` may hold only the best of them. */
  readonly found: number
  /** Articles whose title or tags name it. */
  readonly named: ReadonlySet<string>
}

export interface Candidate {
  readonly passageId: string
  readonly slug: string
  readonly provider: string
  readonly heading: string
  readonly isOpening: boolean
}

export interface RankingOptions {
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

/**
 * Part of the question's weight that an article must cover to be an answer at all. Less is enough for an article whose title
 * or tags carry one of the question's words, and the less the rarer that word is: "DynamoDB" says what is asked about.
 */
const LEAST = { mentioned: 0.8, named: 0.65, relief: 0.6 }
/** Passages below this part of the best one's score are left out. */
const TAIL = 0.3
const PASSAGES_PER_ARTICLE = 4

/** BM25's idf (Robertson and Spärck Jones), never below a little. A word that nothing contains weighs as much as the rarest. */
function weightOf(found: number, passageCount: number): number {
  return Math.max(0.2, Math.log((passageCount - found + 0.5) / (found + 0.5) + 1))
}

function leastCoverage(rarestNamed: number): number {
  return rarestNamed === 0 ? LEAST.mentioned : LEAST.named - LEAST.relief * rarestNamed
}

export function rank(concepts: readonly ConceptHits[], candidates: readonly Candidate[], options: RankingOptions): Ranking {
  const weights = concepts.map((hits) => weightOf(hits.found, options.passageCount))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return { passages: [], weights }

  const rarest = weightOf(0, options.passageCount)

  /** An article as a whole covers a question; its passages then compete for the words. */
  const articles = new Map<string, { coverage: number; named: number }>()
  for (const [slug, own = []] of Map.groupBy(candidates, (candidate) => candidate.slug)) {
    let covered = 0
    let named = 0
    for (const [index, hits] of concepts.entries()) {
      const weight = weights[index] ?? 0
      if (own.some((other) => hits.scores.has(other.passageId))) covered += weight
      if (hits.named.has(slug)) named = Math.max(named, weight / rarest)
    }
    articles.set(slug, { coverage: covered / total, named })
  }

  const scored = candidates
    .map((candidate) => {
      const article = articles.get(candidate.slug) ?? { coverage: 0, named: 0 }
      let bm25 = 0
      let covered = 0
      for (const [index, hits] of concepts.entries()) {
        const score = hits.scores.get(candidate.passageId)
        if (score === undefined) continue
        bm25 += score
        covered += weights[index] ?? 0
      }
      const relevance = 0.5 * (covered / total) + 0.5 * article.coverage
      return { candidate, article, relevance, score: bm25 * (0.4 + relevance) * preference(candidate, options) }
    })
    .filter(({ article }) => article.coverage >= leastCoverage(article.named))
    .sort((a, b) => b.score - a.score)

  const best = scored[0]?.score ?? 0
  const perArticle = new Map<string, number>()
  const passages: Ranked[] = []
  for (const { candidate, relevance, score } of scored) {
    const used = perArticle.get(candidate.slug) ?? 0
    if (passages.length >= options.limit || score < best * TAIL) break
    if (used >= PASSAGES_PER_ARTICLE) continue
    perArticle.set(candidate.slug, used + 1)
    passages.push({ passageId: candidate.passageId, relevance })
  }
  return { passages, weights }
}

const practiceHeading = /secur|practice|pitfall|lever|recover|avail|resil|design|operat|govern|protect|access|how to|choose/i

const comparisonHeading = /compar|differ|versus|\bvs\b| or |when to|choos/i
/** Sections that ask instead of answering. */
const questionHeading = /^questions\b/i

function preference(candidate: Candidate, { providers, wantsPractice, wantsComparison }: RankingOptions): number {
  const provider = providers.length === 0 || candidate.provider === 'general' || providers.includes(candidate.provider) ? 1 : 0.5
  if (questionHeading.test(candidate.heading)) return provider * 0.4
  if (wantsComparison && comparisonHeading.test(candidate.heading)) return provider * 1.5
  if (wantsPractice) return provider * (practiceHeading.test(candidate.heading) ? 1.3 : 0.8)
  return provider * (candidate.isOpening ? 1.15 : 1)
}
