// Makes a prompt fit a model's window by tokens: the oldest turns go first, whole; passages go last, the least fitting first.
// The instructions, the question and an answer already begun always stay. Pure.
import { estimateTokens, countTokens, mostTokens, TOKENS_PER_MESSAGE, tokenFamily, type TokenFamily } from '../cost/tokens.ts'
import { ProviderFailure } from './failure.ts'
import type { PromptMessage } from './provider.ts'

export interface FitOptions {
  /** Tokens of prompt and answer together. */
  readonly windowTokens: number
  /** Tokens kept free for the answer. */
  readonly reserveTokens: number
  /** Tokens of a text; must not be less than what the model makes of it. See `tokenCounter`. */
  readonly count: (text: string) => number
}

export interface FittedPrompt {
  readonly messages: readonly PromptMessage[]
  /** At most `windowTokens - reserveTokens`. */
  readonly tokens: number
  readonly droppedTurns: number
  readonly droppedPassages: number
}

/** Messages of a prompt that belong together: a person's and what was answered. */
interface Turn {
  readonly messages: readonly PromptMessage[]
  readonly tokens: number
}

/** Tokens by the tokenizer of this model's maker. */
export function tokenCounter(model: string | null): (text: string) => number {
  const family = tokenFamily(model)
  return (text) => countTokens(text, family)
}

/** What a prompt costs in tokens, at most; much quicker than counting. For reservations before a question is sent. */
export function predictTokens(prompt: readonly PromptMessage[], family: TokenFamily): number {
  return prompt.reduce((sum, { content }) => sum + estimateTokens(content, family) + TOKENS_PER_MESSAGE, TOKENS_PER_MESSAGE)
}

/** Throws `ProviderFailure` `context_too_large` when not even instructions and question fit. */
export function fitPrompt(prompt: readonly PromptMessage[], { windowTokens, reserveTokens, count }: FitOptions): FittedPrompt {
  const most = windowTokens - reserveTokens
  // What has fewer bytes than there is room for tokens fits without being counted.
  const bound = prompt.reduce((sum, { content }) => sum + mostTokens(content) + TOKENS_PER_MESSAGE, TOKENS_PER_MESSAGE)
  if (bound <= most) return { messages: prompt, tokens: bound, droppedTurns: 0, droppedPassages: 0 }

  const costOf = (message: PromptMessage): number => count(message.content) + TOKENS_PER_MESSAGE
  const { system, turns, last } = parts(prompt, costOf)
  const lastTokens = last.reduce((sum, message) => sum + costOf(message), TOKENS_PER_MESSAGE)
  const full = system.reduce((sum, message) => sum + costOf(message), lastTokens)
  const { kept, tokens } = newest(turns, most - full)
  if (full <= most) {
    return {
      messages: [...system, ...kept.flatMap(({ messages }) => messages), ...last],
      tokens: full + tokens,
      droppedTurns: turns.length - kept.length,
      droppedPassages: 0
    }
  }
  const shorter = withFewerPassages(system, most - lastTokens, costOf)
  if (shorter === null) throw tooLarge()
  return {
    messages: [...shorter.system, ...last],
    tokens: shorter.tokens + lastTokens,
    droppedTurns: turns.length,
    droppedPassages: shorter.dropped
  }
}

function parts(prompt: readonly PromptMessage[], costOf: (message: PromptMessage) => number) {
  const system = prompt.filter(({ role }) => role === 'system')
  const said = prompt.filter(({ role }) => role !== 'system')
  const questionAt = said.findLastIndex(({ role }) => role === 'user')
  const last = said.slice(Math.max(questionAt, 0))
  const turns: Turn[] = []
  let messages: PromptMessage[] = []
  const close = (): void => {
    if (messages.length > 0) turns.push({ messages, tokens: messages.reduce((sum, message) => sum + costOf(message), 0) })
    messages = []
  }
  for (const message of said.slice(0, Math.max(questionAt, 0))) {
    if (message.role === 'user' && messages.at(-1)?.role === 'assistant') close()
    messages.push(message)
  }
  close()
  return { system, turns, last }
}

/** The longest run of turns up to the newest that fits. */
function newest(turns: readonly Turn[], room: number): { kept: readonly Turn[]; tokens: number } {
  let tokens = 0
  let from = turns.length
  while (from > 0 && tokens + (turns[from - 1]?.tokens ?? 0) <= room) {
    from -= 1
    tokens += turns[from]?.tokens ?? 0
  }
  return { kept: turns.slice(from), tokens }
}

const passageBlock = /\n\n<source [^>]*>\n[\s\S]*?\n<\/source>(?=\n\n|$)/g

/** Passages come best first in the instructions; the last goes first. */
function withFewerPassages(system: readonly PromptMessage[], most: number, costOf: (message: PromptMessage) => number) {
  const all = system.flatMap((message, index) =>
    [...message.content.matchAll(passageBlock)].map((found) => ({ index, at: found.index, text: found[0] }))
  )
  for (let kept = all.length - 1; kept >= 0; kept -= 1) {
    const gone = all.slice(kept)
    const left = system.map((message, index) => ({
      ...message,
      content: gone
        .filter((passage) => passage.index === index)
        .reduceRight((content, { at, text }) => content.slice(0, at) + content.slice(at + text.length), message.content)
    }))
    const tokens = left.reduce((sum, message) => sum + costOf(message), 0)
    if (tokens <= most) return { system: left, tokens, dropped: gone.length }
  }
  return null
}

function tooLarge(): ProviderFailure {
  return new ProviderFailure('context_too_large', 'The question is too long for this model. Shorten it, or ask in parts; what you wrote is kept.')
}
