// What a question's delivery is called: one word a person understands, from the outbox row, the answer and the link.
import type { Answer, Delivery, LinkStatus } from '../../shared/domain.ts'
import { text } from '../text/text.ts'

export type DeliveryWord = 'saved' | 'queued' | 'confirm' | 'sending' | 'answering' | 'answered' | 'stopped' | 'failed' | 'cancelled'

export interface DeliveryView {
  readonly word: DeliveryWord
  /** The word as shown. */
  readonly label: string
  /** A sentence with the reason or the next step; empty when the word says it all. */
  readonly detail: string
  readonly canSendNow: boolean
  readonly canEdit: boolean
  readonly canCancel: boolean
  readonly canAskAgain: boolean
}

export interface DeliveryCircumstances {
  readonly answer: Answer | null
  readonly link: LinkStatus['state']
  /** Formats the time of the next attempt. */
  readonly time: (at: number) => string
}

/** Null for messages without delivery (answers, system messages). */
export function deliveryView(delivery: Delivery | null, circumstances: DeliveryCircumstances): DeliveryView | null {
  if (delivery === null) return null
  const word = wordOf(delivery, circumstances)
  const waits = delivery.state === 'waiting'
  const ended = delivery.state === 'settled' || delivery.state === 'failed' || delivery.state === 'cancelled'
  return {
    word,
    label: text.delivery.words[word],
    detail: detailOf(word, delivery, circumstances),
    canSendNow: waits && (word === 'confirm' || circumstances.link === 'online'),
    canEdit: waits || delivery.state === 'failed',
    canCancel: waits,
    canAskAgain: ended && word !== 'answering'
  }
}

function wordOf(delivery: Delivery, { answer, link }: DeliveryCircumstances): DeliveryWord {
  switch (delivery.state) {
    case 'waiting':
      if (delivery.needsConfirmation) return 'confirm'
      return link === 'offline' || delivery.attempts > 0 ? 'queued' : 'saved'
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

function detailOf(word: DeliveryWord, delivery: Delivery, { answer, link, time }: DeliveryCircumstances): string {
  switch (word) {
    case 'confirm':
      return text.delivery.confirm
    case 'queued':
      if (link === 'offline') return text.delivery.untilOnline
      if (delivery.nextAttemptAt !== null) return text.delivery.nextAttempt(time(delivery.nextAttemptAt))
      return delivery.error?.message ?? ''
    case 'failed':
      return delivery.error?.message ?? answer?.error?.message ?? ''
    case 'saved':
    case 'sending':
    case 'answering':
    case 'answered':
    case 'stopped':
    case 'cancelled':
      return ''
  }
}
