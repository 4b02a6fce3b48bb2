// What makes two questions the same, and how alike two others are. Pure.
import { hash } from 'node:crypto'
import type { QuickAction } from '../../shared/turn.ts'

export interface KeyParts {
  readonly client: string
  readonly request: {
    readonly question: string
    readonly quickAction: QuickAction | undefined
    readonly history: readonly object[]
    readonly prompt: readonly { readonly role: string; readonly content: string }[]
  }
  readonly context: Readonly<Record<string, string>>
}

/** Everything that the answer depends on: the whole prompt with context, history and sources in it, and the client. */
export function answerHash({ client, request }: KeyParts): string {
  const parts = [client, request.quickAction ?? '', request.question]
  for (const { role, content } of request.prompt) parts.push(role, content)
  // Each with its length, so that no two lists make one text; as JSON it would take twice as long.
  let text = ''
  for (const part of parts) text += `${part.length}:${part}`
  return digest(text)
}

/** What must be the same for an answer in other words. */
export function scopeHash({ client, request, context }: KeyParts): string {
  const said = request.history.length === 0 ? '' : digest(JSON.stringify(request.history))
  return `${contextHash(client, context)}:${request.quickAction ?? ''}:${said}`
}

export function contextHash(client: string, context: Readonly<Record<string, string>>): string {
  const text = JSON.stringify([client, sorted(context)])
  const known = contexts.get(text)
  if (known !== undefined) return known
  const found = digest(text)
  if (text.length > LONGEST_KEPT) return found
  if (contexts.size >= MOST_KEPT) contexts.clear()
  contexts.set(text, found)
  return found
}

/** A session's context is asked for with each of its questions, and many sessions have none. */
const contexts = new Map<string, string>()
const MOST_KEPT = 1_000
const LONGEST_KEPT = 500

/** The words of a question, in small letters, each once. */
export function wordsOf(question: string): readonly string[] {
  return [...new Set(question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])]
}

/**
 * Share of words in common, 0 to 1 (Jaccard). Figures and names decide what is asked, so a word with a digit in it that only one
 * of them has makes them different.
 */
export function likeness(one: readonly string[], other: readonly string[]): number {
  const [first, second] = [new Set(one), new Set(other)]
  const all = new Set([...first, ...second])
  const apart = [...all].filter((word) => !first.has(word) || !second.has(word))
  if (apart.some((word) => /\d/.test(word))) return 0
  return all.size === 0 ? 0 : (all.size - apart.length) / all.size
}

function sorted(context: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url')
}
