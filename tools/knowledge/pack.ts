// The pack as a whole: reads the folders, checks each file, then what only all of them together can show.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { providers, readArticle, topics, type Article } from './article.ts'
import { checkPriceBook, priceBookProviders, type PriceBook } from './priceBook.ts'
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
  const places = readdirSync(folders.knowledge).toSorted()
  const articles = providers
    .filter((provider) => places.includes(provider))
    .flatMap((provider) =>
      readdirSync(join(folders.knowledge, provider))
        .toSorted()
        .map((file) => readArticle(`${provider}/${file}`, read(folders.knowledge, provider, file), today))
    )
  const slugs = new Set(articles.map(({ slug }) => slug))
  return [
    ...places.filter((place) => !providers.some((provider) => provider === place)).map((place) => `knowledge: "${place}" is no provider's folder`),
    ...articles.flatMap(({ place, problems }) => problems.map((problem) => `${place}: ${problem}`)),
    ...checkTogether(articles),
    ...checkPrices(folders.pricing, today),
    ...checkJson('questions', folders.questions, (content) => checkQuestions(content, slugs))
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
  // The prices of language models lie beside the clouds' and have a check of their own.
  const files = readdirSync(folder)
    .filter((name) => name !== 'models')
    .toSorted()
  let count = 0
  const problems = files.flatMap((file) =>
    checkJson(file, join(folder, file), (content) => {
      const found = checkPriceBook(file, content, today)
      if (found.length === 0) count += (content as PriceBook).items.length
      return found
    })
  )
  for (const provider of priceBookProviders) if (!files.includes(`${provider}.json`)) problems.push(`pricing: there is no price book of ${provider}`)
  if (problems.length === 0 && count < least.prices) problems.push(`pricing: ${count} prices, not ${least.prices}`)
  return problems
}

/** Checks one JSON file; text that is no JSON is a problem of the file, not a crash of the check. */
function checkJson(name: string, path: string, check: (content: unknown) => string[]): string[] {
  let content: unknown
  try {
    content = JSON.parse(read(path))
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    return [`${name}: the file is not JSON (${cause.message})`]
  }
  return check(content).map((problem) => `${name}: ${problem}`)
}

function read(...parts: string[]): string {
  return readFileSync(join(...parts), 'utf8')
}

function twice(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))]
}
