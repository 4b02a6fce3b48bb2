// What a question's delivery is called: one word a person understands, from the outbox row, the answer and the link.
import type { Answer, Delivery, LinkStatus } from '../../shared/domain.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import { text } from '../text/text.ts'

export type DeliveryWord = 'saved' | 'queued' | 'confirm' | 'sending' | 'answering' | 'answered' | 'stopped' | 'failed' | 'cancelled'

export interface DeliveryView {
  readonly word: DeliveryWord
  /** The word as shown. */
  readonly label: string
  /** A sentence with the reason or the next step; empty when the word says it all. */
  readonly detail: string
  readonly canSendNow: boolean
  /** It failed: the same question goes once more. */
  readonly canSendAgain: boolean
  readonly canEdit: boolean
  readonly canCancel: boolean
  readonly canAskAgain: boolean
}

export interface DeliveryCircumstances {
  readonly answer: Answer | null
  readonly link: LinkStatus['state']
  /** An earlier question of its session goes first. */
  readonly isBehind?: boolean
  /** Formats the time of the next attempt. */
  readonly time: (at: number) => string
}

/** These fail again for the same words: they must be changed first. */
const needsChange: ReadonlySet<ErrorCode> = new Set(['invalid_request', 'context_invalid', 'context_too_large'])

/** Null for messages without delivery (answers, system messages). */
export function deliveryView(delivery: Delivery | null, circumstances: DeliveryCircumstances): DeliveryView | null {
  if (delivery === null) return null
  const word = wordOf(delivery, circumstances)
  const waits = delivery.state === 'waiting'
  const ended = delivery.state === 'settled' || delivery.state === 'failed' || delivery.state === 'cancelled'
  return {
    word,
    label: labelOf(word, delivery, circumstances),
    detail: detailOf(word, delivery, circumstances),
    canSendNow: waits && circumstances.isBehind !== true && (word === 'confirm' || circumstances.link === 'online'),
    canSendAgain: delivery.state === 'failed' && (delivery.error === null || !needsChange.has(delivery.error.code)),
    canEdit: waits || delivery.state === 'failed',
    canCancel: waits || delivery.state === 'failed',
    canAskAgain: ended && word !== 'answering'
  }
}

function wordOf(delivery: Delivery, { answer, link }: DeliveryCircumstances): DeliveryWord {
  switch (delivery.state) {
    case 'waiting':
      if (delivery.needsConfirmation) return 'confirm'
      return link === 'offline' || delivery.attempts > 0 || delivery.error !== null ? 'queued' : 'saved'
    case 'sending':
      return answer?.state === 'answering' ? 'answering' : 'sending'
    case 'settled':
      if (answer?.state === 'answering') return 'answering'
      if (answer?.state === 'cancelled') return 'stopped'
      return answer?.state === 'failed' ? 'failed' : 'answered'
    case 'failed':
      return 'failed'
    case 'cancelled':
      return answer?.state === 'cancelled' ? 'stopped' : 'cancelled'
  }
}

/** What failed is named by its kind: a refusal is not a budget that is used up. */
function labelOf(word: DeliveryWord, delivery: Delivery, { answer }: DeliveryCircumstances): string {
  const code = delivery.error?.code ?? answer?.error?.code
  return (word === 'failed' && code !== undefined ? text.delivery.failures[code] : undefined) ?? text.delivery.words[word]
}

function detailOf(word: DeliveryWord, delivery: Delivery, { answer, link, isBehind, time }: DeliveryCircumstances): string {
  switch (word) {
    case 'confirm':
      return text.delivery.confirm
    case 'queued':
      if (link === 'offline') return text.delivery.untilOnline
      return [delivery.error?.message ?? '', delivery.nextAttemptAt === null ? '' : text.delivery.nextAttempt(time(delivery.nextAttemptAt))]
        .filter((sentence) => sentence !== '')
        .join(' ')
    case 'failed':
      return delivery.error?.message ?? answer?.error?.message ?? ''
    case 'saved':
      return isBehind === true ? text.delivery.behind : ''
    case 'sending':
    case 'answering':
    case 'answered':
    case 'stopped':
    case 'cancelled':
      return ''
  }
}
