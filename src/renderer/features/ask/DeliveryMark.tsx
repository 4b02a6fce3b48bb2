// Where a question stands, told by an icon's shape and by a word.
import { Ban, Check, CheckCheck, CircleAlert, Clock, Hand, LoaderCircle, MoveUpRight, Square, type LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import type { DeliveryView, DeliveryWord } from '../../state/delivery.ts'

const icons: Record<DeliveryWord, LucideIcon> = {
  saved: Check,
  queued: Clock,
  confirm: Hand,
  sending: MoveUpRight,
  answering: LoaderCircle,
  answered: CheckCheck,
  stopped: Square,
  failed: CircleAlert,
  cancelled: Ban
}

export function DeliveryMark({ view }: { readonly view: DeliveryView }): ReactNode {
  const Icon = icons[view.word]
  return (
    <span className="delivery" data-word={view.word} title={view.detail === '' ? undefined : view.detail}>
      <Icon size={13} aria-hidden className={view.word === 'answering' ? 'spin' : undefined} />
      {view.label}
    </span>
  )
}
