// How the next provider is asked to go on where another broke off. Pure.
import type { PromptMessage, ProviderProfile, ProviderRequest } from '../providers/provider.ts'
import { anchorOf, type SeamOptions } from './seam.ts'

export interface Continuation extends SeamOptions {
  readonly request: ProviderRequest
}

/** `said` is what has been read of the answer; empty: it is asked from the start. */
export function continuationOf(request: ProviderRequest, said: string, { prefill }: Pick<ProviderProfile, 'prefill'>): Continuation {
  if (said === '') return { request, anchor: '' }
  // Anthropic refuses a prefilled answer that ends in white space; the seam doesn't mind the difference.
  const spoken: PromptMessage = { role: 'assistant', content: said.trimEnd() === '' ? said : said.trimEnd() }
  if (prefill) return { request: { ...request, prompt: [...request.prompt, spoken] }, anchor: '' }
  const anchor = anchorOf(said)
  const instruction =
    'Your answer was cut off in the middle. Go on with it: first repeat exactly the last words that arrived, ' +
    `which are:\n\n${anchor}\n\nThen go on to its end, in the same language and form. Do not start again, do not mention the interruption.`
  return { request: { ...request, prompt: [...request.prompt, spoken, { role: 'user', content: instruction }] }, anchor }
}
