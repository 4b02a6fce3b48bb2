// What a remote copilot is sent: its protocol knows a message and a map of texts, no conversation. Pure.
import type { ProviderRequest } from './provider.ts'
import { GO_ON } from './shape.ts'

export interface RemoteRequest {
  readonly message: string
  readonly context: Record<string, string>
  readonly userId: string
  readonly sessionId: string
  readonly turnId: string
  readonly afterSeq: number
  readonly quickAction: string
}

/** As our own service takes them: entries of at most 4,000 characters, few enough to leave room for the far side's own. */
const LONGEST_ENTRY = 3_900
const MOST_SOURCES = 8

/** `saysWho`: whether the body names the user. With a token the far side takes the user from there, and refuses another name. */
export function remoteRequest(request: ProviderRequest, saysWho: boolean): RemoteRequest {
  const { question, history, material, prompt, quickAction, caller } = request
  const begun = prompt.at(-1)?.role === 'assistant' ? (prompt.at(-1)?.content ?? '') : ''
  const context: Record<string, string> = {}
  const conversation = history.map(({ role, text }) => `${role}: ${text}`).join('\n\n')
  if (conversation !== '') context['conversation'] = conversation.slice(-LONGEST_ENTRY).toWellFormed()
  for (const { n, title, heading, date, text } of material.passages.slice(0, MOST_SOURCES)) {
    context[`source_${n}_${title}`.slice(0, 100).toWellFormed()] = `${title} ${heading} (${date})\n${text}`.slice(0, LONGEST_ENTRY).toWellFormed()
  }
  if (material.estimate.length > 0) context['estimate'] = material.estimate.join('\n\n').slice(0, LONGEST_ENTRY).toWellFormed()
  return {
    message: begun === '' ? question : `${question}\n\n${begun}\n\n${GO_ON}`,
    context,
    userId: saysWho ? (caller?.userId ?? '') : '',
    sessionId: caller?.sessionId ?? '',
    // Unnamed, so that hanging up ends it over there too.
    turnId: '',
    afterSeq: 0,
    quickAction: quickAction ?? ''
  }
}
