// Numbers what was gathered, so that an answer can point at it: `[1]` is the first source. Pure.
import type { Citation } from '../../shared/turn.ts'
import type { EstimateTable } from '../cost/estimateTable.ts'
import type { Findings } from '../knowledge/knowledge.ts'
import type { CitedPassage, Material } from '../providers/provider.ts'

const LONGEST_EXCERPT = 600

/** `table` comes first: its numbers, from 1, are already in its text. */
export function materialOf(findings: Findings, table: EstimateTable | null): Material {
  const sources: Citation[] = (table?.sources ?? []).map(({ title, url, asOf }, index) => ({ n: index + 1, title, source: title, date: asOf, url }))
  const numbers = new Map<string, number>()
  const headlines = new Map<string, string>()
  const passages = findings.passages.map((passage): CitedPassage => {
    // A document of the client's own has no address: its pages and headings are its sources.
    const key = `${passage.slug} ${passage.url === '' ? passage.source : passage.url} ${passage.date}`
    let n = numbers.get(key)
    // An article's sections may rest on documents of their own; the first of them goes by the article's name.
    if (!headlines.has(passage.slug)) headlines.set(passage.slug, key)
    if (n === undefined) {
      n = sources.length + 1
      numbers.set(key, n)
      sources.push({
        n,
        title: headlines.get(passage.slug) === key || passage.heading === '' ? passage.title : `${passage.title}: ${passage.heading}`,
        source: passage.source,
        date: passage.date,
        ...(passage.url === '' ? {} : { url: passage.url }),
        excerpt: excerptOf(passage.text)
      })
    }
    return { ...passage, n }
  })
  return { passages, terms: findings.terms, estimate: table?.blocks ?? [], sources }
}

function excerptOf(markdown: string): string {
  const plain = markdown
    .replace(/^\s*(?:[-*+]|#+)\s+/gm, '')
    .replace(/[*`_]{1,3}/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  return plain.length > LONGEST_EXCERPT ? `${plain.slice(0, LONGEST_EXCERPT).toWellFormed()}…` : plain
}
