// Brings a prompt into the shape a maker's models take: instructions apart, people and model in turn, no empty message. Pure.
import type { PromptMessage } from './provider.ts'

export interface ShapedPrompt {
  /** Null: there are none. */
  readonly instructions: string | null
  /** Starts with `user`, alternates, none is empty. */
  readonly messages: readonly SaidMessage[]
}

export interface SaidMessage {
  readonly role: 'user' | 'assistant'
  readonly content: string
}

/** Said to a model that does not go on by itself from an answer already begun. */
export const GO_ON =
  'Your answer above was cut off. Go on from its very last character: do not repeat or rephrase any of it, do not comment on it, do not start again.'
const BEGINNING = '(The conversation began with this message of yours.)'

export function shapePrompt(prompt: readonly PromptMessage[], options: { readonly prefill: boolean }): ShapedPrompt {
  const instructions: string[] = []
  const messages: { role: SaidMessage['role']; content: string }[] = []
  for (const { role, content } of goingOn(prompt, options)) {
    // A lone surrogate is no text in any encoding; makers answer it with an error.
    const text = content.toWellFormed()
    const last = messages.at(-1)
    if (text.trim() === '') continue
    if (role === 'system') instructions.push(text)
    else if (last?.role === role) last.content += `\n\n${text}`
    else messages.push({ role, content: text })
  }
  if (messages[0]?.role === 'assistant') messages.unshift({ role: 'user', content: BEGINNING })
  const last = messages.at(-1)
  // Anthropic refuses a beginning that ends with white space.
  if (last?.role === 'assistant') last.content = last.content.trimEnd()
  return { instructions: instructions.length === 0 ? null : instructions.join('\n\n'), messages }
}

/** A begun answer at the end is followed by a word to go on, where the model does not by itself. */
export function goingOn(prompt: readonly PromptMessage[], { prefill }: { readonly prefill: boolean }): readonly PromptMessage[] {
  return prefill || prompt.at(-1)?.role !== 'assistant' ? prompt : [...prompt, { role: 'user', content: GO_ON }]
}
