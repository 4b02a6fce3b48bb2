// Reads a cost question: which items of the price book, how much of each, where, for how long. What it can't place it
// says; it never guesses. Pure.
import { blank, readAmounts, readPeriod, type Amount, type AmountKind, type Period } from './amounts.ts'
import type { Exact } from './money.ts'
import { namedProviders, namedRegions, type NamedRegion } from './places.ts'
import type { PriceBook, PriceItem, Unit } from './priceBook.ts'

/** One thing the question names, with the book's items that it can mean (several: one per cloud). */
export interface AskedItem {
  readonly text: string
  readonly candidates: readonly PriceItem[]
  readonly amount: Amount | null
  /** True when the region is the book's and not the question's. */
  readonly regionAssumed: boolean
}

export interface CostQuestion {
  readonly items: readonly AskedItem[]
  readonly period: Period
  /** Of 24, for what runs by the hour; null: all of them. */
  readonly dailyHours: Exact | null
  /** What was asked for and is not in the book, in words. */
  readonly missing: readonly string[]
}

const intent =
  /\b(costs?|costing|price[ds]?|pricing|how much|expensive|cheap(er|est)?|bill|budget|estimate|spend|charges?|charged|fees?|pay|usd|dollars?|tco)\b|[$€]/i

/** Whether the text asks for money at all. */
export function asksForCost(text: string): boolean {
  return intent.test(text)
}

/** Whether the text names anything that the book has a price of; for questions that are not about money, so it stops at the first. */
export function namesItem(text: string, book: PriceBook): boolean {
  const words = text.toLowerCase().match(WORDS) ?? []
  const names = namesOf(book.items)
  for (let index = 0; index < words.length; index += 1) {
    for (let length = mostWords(names, words[index] ?? ''); length > 0; length -= 1) {
      if (itemsNamed(names, words, { index, length }) !== undefined) return true
    }
  }
  return false
}

/** `context`: what the session says about clouds and regions, for what the question leaves open. */
export function readCostQuestion(text: string, book: PriceBook, context = ''): CostQuestion {
  const regions = namedRegions(text)
  const mentions = findMentions(text, book.items)
  let rest = text
  for (const { start, end } of [...regions, ...mentions]) rest = blank(rest, start, end)
  const { period, dailyHours, rest: unread } = readPeriod(rest)
  const unknown = unknownCodes(unread)
  for (const { start, end } of unknown) rest = blank(rest, start, end)
  const places = regions.length > 0 ? regions : namedRegions(context)
  const clouds = namedProviders(text)
  const wanted = new Set(clouds.length > 0 ? clouds : namedProviders(context))

  const missing = unknown.map(({ text: code }) => `${code} is not in the price book.`)
  const amounts = assign(readAmounts(blankAll(unread, unknown)), mentions)
  const items: AskedItem[] = []
  for (const [index, mention] of mentions.entries()) {
    const ofCloud = mention.items.filter((item) => wanted.size === 0 || wanted.has(item.provider))
    const candidates = ofCloud.length > 0 ? ofCloud : mention.items
    const qualified = byQualifier(text, candidates)
    if (typeof qualified === 'string') {
      missing.push(
        `${mention.text}, ${qualified}, is not in the price book; it has ${[...new Set(candidates.map((item) => item.name))].join(' and ')}.`
      )
      continue
    }
    const placed = inRegion(qualified, places)
    if (placed.length === 0) {
      missing.push(`${mention.text} in ${places.map((place) => place.text).join(' or ')} is not in the price book; it has ${regionList(qualified)}.`)
      continue
    }
    items.push({ text: mention.text, candidates: placed, amount: amounts.used.get(index) ?? null, regionAssumed: places.length === 0 })
  }
  for (const amount of amounts.left) {
    if (amount.kind !== 'count') missing.push(`“${amount.text}” was not priced: the question names no item of the price book that is counted so.`)
  }
  return { items, period, dailyHours, missing }
}

// ---- items ---------------------------------------------------------------------------------------------------------

interface Mention {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly items: readonly PriceItem[]
}

interface Token {
  readonly text: string
  readonly start: number
  readonly end: number
}

const WORDS = /[a-z0-9]+(?:\.[a-z0-9]+)*/gi

function tokens(text: string): Token[] {
  return [...text.matchAll(WORDS)].map((match) => ({
    text: match[0].toLowerCase(),
    start: match.index,
    end: match.index + match[0].length
  }))
}

interface Names {
  /** By the words of a name, with single spaces. */
  readonly byName: ReadonlyMap<string, readonly PriceItem[]>
  /** Words of the longest name that begins with this one: most words of a text begin none. */
  readonly longestFrom: ReadonlyMap<string, number>
}

/** A book's names are read once: there are thousands, and every question is compared with them. */
const namesOfBooks = new WeakMap<readonly PriceItem[], Names>()

function namesOf(items: readonly PriceItem[]): Names {
  const known = namesOfBooks.get(items)
  if (known !== undefined) return known
  const byName = new Map<string, PriceItem[]>()
  const longestFrom = new Map<string, number>()
  for (const item of items) {
    for (const name of item.aliases) {
      const words = tokens(name).map((token) => token.text)
      const [first = ''] = words
      longestFrom.set(first, Math.max(words.length, longestFrom.get(first) ?? 0))
      const key = words.join(' ')
      const same = byName.get(key)
      if (same === undefined) byName.set(key, [item])
      else if (!same.includes(item)) same.push(item)
    }
  }
  const names = { byName, longestFrom }
  namesOfBooks.set(items, names)
  return names
}

/** How many words a name can have that begins with this one, or with its singular. */
function mostWords({ longestFrom }: Names, word: string): number {
  const plural = longestFrom.get(word) ?? 0
  return word.endsWith('s') ? Math.max(plural, longestFrom.get(word.slice(0, -1)) ?? 0) : plural
}

interface Part {
  readonly index: number
  readonly length: number
}

/** What these words are the name of, in the singular or the plural. */
function itemsNamed({ byName }: Names, words: readonly string[], { index, length }: Part): readonly PriceItem[] | undefined {
  if (index + length > words.length) return undefined
  const name = length === 1 ? (words[index] ?? '') : words.slice(index, index + length).join(' ')
  return byName.get(name) ?? (name.endsWith('s') ? byName.get(name.slice(0, -1)) : undefined)
}

/** The book's items that the text names, longest names first, none within another. */
function findMentions(text: string, items: readonly PriceItem[]): Mention[] {
  const said = tokens(text)
  const words = said.map((token) => token.text)
  const names = namesOf(items)
  const mentions: Mention[] = []
  const starts = words.flatMap((word, index) => {
    const most = mostWords(names, word)
    return most === 0 ? [] : [{ index, most }]
  })
  for (let length = Math.max(0, ...starts.map(({ most }) => most)); length > 0; length -= 1) {
    for (const { index, most } of starts) {
      const found = length > most ? undefined : itemsNamed(names, words, { index, length })
      const start = said[index]?.start ?? 0
      const end = said[index + length - 1]?.end ?? 0
      if (found !== undefined && !mentions.some((other) => start < other.end && other.start < end)) {
        mentions.push({ text: text.slice(start, end), start, end, items: found })
      }
    }
  }
  return mentions.sort((a, b) => a.start - b.start)
}

/** Sizes of machines that look like a vendor's but are not in the book: named, so that nobody takes them for included. */
function unknownCodes(text: string): Token[] {
  const pattern =
    /\b(?:db\.|cache\.)?[a-z]{1,4}\d{1,2}[a-z-]{0,5}\.(?:nano|micro|small|medium|large|metal|\d{0,2}xlarge)\b|\bstandard_[a-z0-9_]+\b|\b[a-z]\d[a-z]?-(?:standard|highmem|highcpu|micro|small|medium|highgpu)(?:-\d+g?)?\b|\b[A-Z]\d{1,2}[a-z]{1,4}(?:\s?v\d)\b/gi
  return [...text.matchAll(pattern)].map((match) => ({ text: match[0], start: match.index, end: match.index + match[0].length }))
}

function blankAll(text: string, spans: readonly { start: number; end: number }[]): string {
  return spans.reduce((rest, { start, end }) => blank(rest, start, end), text)
}

// ---- what kind of it -----------------------------------------------------------------------------------------------

/** Words that change the price; an item without them is another item. */
const qualifiers: readonly RegExp[] = [
  /\bwindows\b/i,
  /\b(rhel|red hat|suse)\b/i,
  /\bspot\b/i,
  /\bpreemptible\b/i,
  /\breserved|reservation|savings plans?\b/i,
  /\bcommit(ted|ment)\b/i,
  /\bmulti-?az\b/i,
  /\bintelligent[- ]tiering\b/i,
  /\b(zrs|grs|gzrs|ra-grs)\b/i,
  /\bsql server\b/i,
  /\boracle\b/i
]

/** The candidates that are what the question says they should be, or the word that none of them is. */
function byQualifier(text: string, candidates: readonly PriceItem[]): readonly PriceItem[] | string {
  let left: readonly PriceItem[] = candidates.filter((item) => qualifiers.every((qualifier) => qualifier.test(text) || !qualifier.test(item.name)))
  if (left.length === 0) left = candidates
  for (const qualifier of qualifiers) {
    const word = qualifier.exec(text)?.[0]
    if (word === undefined) continue
    left = candidates.filter((item) => qualifier.test(`${item.name} ${item.aliases.join(' ')}`))
    if (left.length === 0) return word.toLowerCase()
  }
  return left
}

// ---- where ---------------------------------------------------------------------------------------------------------

/** Regions that stand for a cloud when a question names none. */
const usualRegions = ['us-east-1', 'eastus2', 'eastus', 'us-central1']
const everywhere = new Set(['global', 'north-america', 'us'])

/** For each cloud one candidate: in the named region, or in its usual one. */
function inRegion(items: readonly PriceItem[], places: readonly NamedRegion[]): PriceItem[] {
  const chosen: PriceItem[] = []
  for (const provider of new Set(items.map((item) => item.provider))) {
    const ofCloud = items.filter((item) => item.provider === provider)
    const match =
      places.length > 0
        ? ofCloud.find((item) => everywhere.has(item.region) || places.some((place) => place.codes.includes(item.region)))
        : (usualRegions.map((region) => ofCloud.find((item) => item.region === region)).find((item) => item !== undefined) ?? ofCloud[0])
    if (match !== undefined) chosen.push(match)
  }
  return chosen
}

function regionList(items: readonly PriceItem[]): string {
  return [...new Set(items.map((item) => item.region))].join(', ')
}

// ---- how much ------------------------------------------------------------------------------------------------------

const countedIn: Readonly<Record<Unit, AmountKind>> = {
  hour: 'count',
  month: 'count',
  'GB-month': 'gigabytes',
  GB: 'gigabytes',
  'GB-hour': 'gigabytes',
  'million-requests': 'requests',
  request: 'requests',
  'GB-second': 'gb-seconds',
  'vCPU-hour': 'vcpu',
  'vCPU-second': 'vcpu'
}

/** A bare number counts whatever the item's own name already says: "10 million Lambda requests". */
function isCountedIn(unit: Unit, kind: AmountKind): boolean {
  const wanted = countedIn[unit]
  return kind === wanted || (kind === 'count' && (wanted === 'requests' || wanted === 'vcpu'))
}

/** Each amount goes to the nearest item that is counted so: the one after it before the one in front of it. */
function assign(amounts: readonly Amount[], mentions: readonly Mention[]): { used: Map<number, Amount>; left: Amount[] } {
  const used = new Map<number, Amount>()
  const left: Amount[] = []
  for (const amount of amounts) {
    const fits = (index: number): boolean => !used.has(index) && (mentions[index]?.items ?? []).some((item) => isCountedIn(item.unit, amount.kind))
    const after = mentions.findIndex((mention, index) => mention.start >= amount.end && fits(index))
    const before = mentions.findLastIndex((mention, index) => mention.end <= amount.start && fits(index))
    const next = mentions.findIndex((mention) => mention.start >= amount.end)
    const index = after === next && after >= 0 ? after : before >= 0 ? before : after
    if (index >= 0) used.set(index, amount)
    else left.push(amount)
  }
  return { used, left }
}
