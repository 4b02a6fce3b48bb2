// The pack as a whole: reads the folders, checks each file, then what only all of them together can show.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { providers, readArticle, topics, type Article } from './article.ts'
import { checkPriceBook, type PriceBook } from './priceBook.ts'
import { checkQuestions } from './questions.ts'

const least = { articles: 60, perProvider: 10, perTopic: 2, prices: 60 }

export interface PackFolders {
  /** Holds one folder per provider. */
  readonly knowledge: string
  readonly pricing: string
  /** The labelled questions. */
  readonly questions: string
}

/**
 * Every problem of the pack, one line each, starting with the file it is in; empty when the pack is good.
 * @param today ISO date of the day the check runs
 */
export function checkPack(folders: PackFolders, today: string): string[] {
  const articles = providers.flatMap((provider) =>
    readdirSync(join(folders.knowledge, provider))
      .toSorted()
      .map((file) => readArticle(`${provider}/${file}`, read(folders.knowledge, provider, file), today))
  )
  return [
    ...articles.flatMap(({ place, problems }) => problems.map((problem) => `${place}: ${problem}`)),
    ...checkTogether(articles),
    ...checkPrices(folders.pricing, today),
    ...checkQuestions(JSON.parse(read(folders.questions)), new Set(articles.map(({ slug }) => slug))).map((problem) => `questions: ${problem}`)
  ]
}

function checkTogether(articles: readonly Article[]): string[] {
  const problems = [
    ...twice(articles.map(({ slug }) => slug)).map((slug) => `knowledge: the slug "${slug}" is there twice`),
    ...twice(articles.flatMap(({ frontMatter }) => (frontMatter ? [frontMatter.title.toLowerCase()] : []))).map(
      (title) => `knowledge: the title "${title}" is there twice`
    )
  ]
  if (articles.length < least.articles) problems.push(`knowledge: ${articles.length} articles, not ${least.articles}`)
  for (const provider of providers) {
    const count = articles.filter(({ frontMatter }) => frontMatter?.provider === provider).length
    if (count < least.perProvider) problems.push(`knowledge: ${count} articles of ${provider}, not ${least.perProvider}`)
  }
  for (const topic of topics) {
    const count = articles.filter(({ frontMatter }) => frontMatter?.topic === topic).length
    if (count < least.perTopic) problems.push(`knowledge: ${count} articles on ${topic}, not ${least.perTopic}`)
  }
  return problems
}

function checkPrices(folder: string, today: string): string[] {
  const books = readdirSync(folder)
    .toSorted()
    .map((file) => ({ file, content: JSON.parse(read(folder, file)) as unknown }))
  const problems = books.flatMap(({ file, content }) => checkPriceBook(file, content, today).map((problem) => `${file}: ${problem}`))
  if (problems.length > 0) return problems
  const count = books.reduce((sum, { content }) => sum + (content as PriceBook).items.length, 0)
  return count < least.prices ? [`pricing: ${count} prices, not ${least.prices}`] : []
}

function read(...parts: string[]): string {
  return readFileSync(join(...parts), 'utf8')
}

function twice(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))]
}
