// A question's delivery, in words, as it stands now.
import type { Message } from '../../../shared/domain.ts'
import { useLink, useMirror } from '../../state/context.tsx'
import { deliveryView, type DeliveryView } from '../../state/delivery.ts'
import { formatTime } from '../../text/format.ts'
import { answerIdOf } from './useAnswer.ts'

/** `isBehind`: an earlier question of its session goes first. */
export function useDelivery(message: Message, isBehind = false): DeliveryView | null {
  const { state: link } = useLink()
  const answer = useMirror((mirror) => {
    const id = answerIdOf(mirror, message)
    return id === null ? null : (mirror.messages[id]?.answer ?? null)
  })
  return deliveryView(message.delivery, { answer, link, isBehind, time: formatTime })
}
