// One article of the knowledge pack: what its front matter and body must be so that the local provider can quote it.
// Pure; check.ts reads the files.
import { z } from 'zod'
import { realDate } from './dates.ts'

export const providers = ['aws', 'azure', 'gcp', 'general'] as const

export const topics = [
  'compute',
  'storage',
  'database',
  'network',
  'containers',
  'serverless',
  'analytics',
  'messaging',
  'identity',
  'security',
  'observability',
  'ai',
  'well-architected',
  'migration',
  'cost',
  'resilience',
  'governance'
] as const

const words = { least: 250, most: 600 }
const sections = { least: 3, most: 6 }

const slugSchema = /^[a-z0-9]+(-[a-z0-9]+)*$/
const sourceLine = /^Source: .+, https:\/\/\S+, as of (\d{4}-\d{2}-\d{2})$/

/** Front matter as it must be; `asOf` is checked against today by the caller because "today" is injected. */
export const frontMatterSchema = z.strictObject({
  title: z.string().min(5).max(120),
  provider: z.enum(providers),
  topic: z.enum(topics),
  source: z.string().min(10).max(300),
  url: z.url({ protocol: /^https$/ }),
  asOf: z.string(),
  tags: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9 .+-]*$/, 'a tag is lower case'))
    .min(3)
    .max(16)
})
export type FrontMatter = z.infer<typeof frontMatterSchema>

export interface Article {
  /** Provider folder and file name. */
  readonly place: string
  readonly slug: string
  readonly frontMatter: FrontMatter | null
  /** One sentence each, in the words of somebody who has to repair the file. */
  readonly problems: readonly string[]
}

/**
 * Reads one article. The front matter is a small part of YAML: `key: value` lines, and `[a, b]` for lists.
 * @param place provider folder and file name, `aws/amazon-s3.md`
 * @param today ISO date; no document may be younger
 */
export function readArticle(place: string, text: string, today: string): Article {
  const [folder = '', file = ''] = place.split('/')
  const slug = file.replace(/\.md$/, '')
  const problems: string[] = []
  if (!slugSchema.test(slug)) problems.push(`the file name "${file}" is not kebab-case`)

  const match = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text)
  if (!match) return { place, slug, frontMatter: null, problems: [...problems, 'there is no front matter between two --- lines'] }
  const [, head = '', body = ''] = match

  const parsed = frontMatterSchema.safeParse(readFields(head, problems))
  if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => `front matter ${issue.path.join('.') || 'fields'}: ${issue.message}`))
  else {
    if (parsed.data.provider !== folder) problems.push(`provider "${parsed.data.provider}" lies in the folder "${folder}"`)
    const date = realDate(parsed.data.asOf, today)
    if (date !== null) problems.push(`asOf ${date}`)
    if (new Set(parsed.data.tags).size !== parsed.data.tags.length) problems.push('a tag is there twice')
  }
  problems.push(...checkBody(body, today))
  return { place, slug, frontMatter: parsed.success ? parsed.data : null, problems }
}

function readFields(head: string, problems: string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const line of head.split('\n')) {
    const match = /^([A-Za-z]+): (.+)$/.exec(line)
    if (!match) {
      problems.push(`front matter line "${line}" is not "key: value"`)
      continue
    }
    const [, key = '', value = ''] = match
    if (key in fields) problems.push(`front matter has "${key}" twice`)
    const list = /^\[(.*)\]$/.exec(value)
    fields[key] = list ? (list[1] ?? '').split(',').map((entry) => entry.trim()) : value.trim()
  }
  return fields
}

function checkBody(body: string, today: string): string[] {
  const problems: string[] = []
  if (/<\/?[a-z][^>]*>/i.test(body)) problems.push('the body has HTML')
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(body) || !body.isWellFormed()) problems.push('the body has control characters or broken Unicode')
  if (/\b(TODO|TBD|FIXME|lorem ipsum)\b/i.test(body)) problems.push('the body has a placeholder')
  if (/^# /m.test(body)) problems.push('the body has a first-level heading; the title is in the front matter')

  const [lead = '', ...rest] = body.split(/^## /m)
  problems.push(...checkLead(lead.trim()))
  if (rest.length < sections.least || rest.length > sections.most) {
    problems.push(`the body has ${rest.length} sections, not ${sections.least} to ${sections.most}`)
  }
  const headings = rest.map((section) => section.split('\n', 1)[0]?.trim() ?? '')
  if (new Set(headings).size !== headings.length) problems.push('two sections have the same heading')
  rest.forEach((section, index) => {
    const content = section.split('\n').slice(1).join('\n').trim()
    if (content === '') problems.push(`section "${headings[index]}" is empty`)
  })

  const lines = body.split('\n')
  for (const line of lines) {
    if (line.startsWith('- ')) problems.push(...checkBullet(line.slice(2)))
    if (line.startsWith('* ') || /^\s+[-*] /.test(line)) problems.push(`"${line.trim().slice(0, 40)}" is not a plain first-level "- " bullet`)
    if (line.startsWith('Source:')) {
      const source = sourceLine.exec(line)
      const date = source ? realDate(source[1] ?? '', today) : 'is missing'
      if (!source) problems.push(`"${line.slice(0, 60)}" is not "Source: title, https address, as of date"`)
      else if (date !== null) problems.push(`source line date ${date}`)
    }
  }

  const count = countWords(lines.filter((line) => !line.startsWith('Source:')).join('\n'))
  if (count < words.least || count > words.most) problems.push(`the body has ${count} words, not ${words.least} to ${words.most}`)
  return problems
}

function checkLead(lead: string): string[] {
  if (lead === '') return ['the body does not open with a paragraph']
  if (lead.includes('\n\n') || /^[-|>]/.test(lead)) return ['the body does not open with exactly one paragraph']
  const sentences = lead.split(/[.!?](?:\s|$)/).filter((sentence) => sentence.trim() !== '').length
  return sentences > 3 ? [`the first paragraph has ${sentences} sentences, not 1 to 3`] : []
}

// A bullet is quoted alone: it must be a sentence, not a fragment that leans on its heading.
function checkBullet(text: string): string[] {
  const start = text.slice(0, 40)
  if (!/[.?]$/.test(text)) return [`bullet "${start}" does not end as a sentence`]
  if (!/^[A-Z0-9"`*]/.test(text)) return [`bullet "${start}" does not start as a sentence`]
  return countWords(text) < 5 ? [`bullet "${start}" is too short to stand alone`] : []
}

function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}][\p{L}\p{N}'’.,%/+-]*/gu)?.length ?? 0
}
