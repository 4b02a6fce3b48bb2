// Reads one article: YAML front matter, an opening paragraph, `##` sections. HTML in it is text like any other. Pure.
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { cleanText } from '../../shared/kit/text.ts'
import type { Article, Section } from './knowledge.ts'

const text = z.string().trim().min(1).max(500)
const frontMatterSchema = z.object({
  title: text,
  provider: z.enum(['aws', 'azure', 'gcp', 'general']),
  topic: text,
  source: text,
  url: z.string().regex(/^https:\/\/\S+$/),
  asOf: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  tags: z.array(z.coerce.string().max(100)).max(50).default([])
})

/** Throws `TypeError` with one line that says what is wrong with the article. */
export function readArticle(slug: string, content: string): Article {
  const clean = cleanText(content)
  const match = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(clean)
  if (match === null) throw new TypeError('has no front matter between two lines of ---')
  const [, head = '', body = ''] = match
  const front = frontMatterSchema.safeParse(parseFrontMatter(head))
  if (!front.success) throw new TypeError(`front matter: ${z.prettifyError(front.error).split('\n').slice(0, 2).join(' ')}`)
  const sections = readSections(body, front.data)
  if (sections.length === 0) throw new TypeError('has no text')
  return { slug, ...front.data, sections }
}

function parseFrontMatter(head: string): unknown {
  try {
    // Dates stay text: the core schema has none.
    return parseYaml(head, { schema: 'core', maxAliasCount: 0 })
  } catch (error) {
    throw new TypeError(`front matter is not YAML: ${error instanceof Error ? error.message.split('\n')[0] : ''}`, { cause: error })
  }
}

/** `Source: <title>, <url>, as of <date>`; a section may have several, the first one is cited. */
const sourceLine = /^\s*(?:[-*] )?Source: (.+?),? <?(https:\/\/[^\s>]+?)>?(?:,? as of (\d{4}-\d{2}-\d{2}))?\.?\s*$/im
const sourceLines = new RegExp(sourceLine, 'gim')

function readSections(body: string, article: Pick<Article, 'source' | 'url' | 'asOf'>): Section[] {
  const sections: Section[] = []
  // A heading inside a code fence would end a section too; the pack has none, and only a heading is lost.
  for (const part of body.split(/^(?=## )/m)) {
    const heading = /^## +(.*)\n?/.exec(part)
    let text = part.slice(heading?.[0].length ?? 0).replace(/^# .*\n/, '')
    const own = sourceLine.exec(text)
    text = text.replace(sourceLines, '')
    if (text.trim() === '') continue
    sections.push({
      heading: heading?.[1]?.trim() ?? '',
      body: text.trim(),
      source: own?.[1]?.trim() ?? article.source,
      url: own?.[2] ?? article.url,
      asOf: own?.[3] ?? article.asOf
    })
  }
  return sections
}
