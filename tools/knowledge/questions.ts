// The labelled questions that retrieval is tuned with: each names the articles that answer it, or none. Pure; check.ts reads the file.
import { z } from 'zod'

export const questionsSchema = z.array(z.strictObject({ question: z.string().min(8).max(300), slugs: z.array(z.string()) }))
export type LabelledQuestion = z.infer<typeof questionsSchema>[number]

const least = { answerable: 80, unanswerable: 30 }

/** What is wrong with the labelled questions, one sentence each; `slugs` are those of the pack. */
export function checkQuestions(content: unknown, slugs: ReadonlySet<string>): string[] {
  const parsed = questionsSchema.safeParse(content)
  if (!parsed.success) return parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  const problems: string[] = []
  const seen = new Set<string>()
  for (const { question, slugs: answers } of parsed.data) {
    const key = question.toLowerCase()
    if (seen.has(key)) problems.push(`"${question}" is asked twice`)
    seen.add(key)
    for (const slug of answers) if (!slugs.has(slug)) problems.push(`"${question}" names the article "${slug}", which does not exist`)
  }
  const unanswerable = parsed.data.filter((entry) => entry.slugs.length === 0).length
  const answerable = parsed.data.length - unanswerable
  if (answerable < least.answerable) problems.push(`${answerable} answerable questions, not ${least.answerable}`)
  if (unanswerable < least.unanswerable) problems.push(`${unanswerable} unanswerable questions, not ${least.unanswerable}`)
  return problems
}
