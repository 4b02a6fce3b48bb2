// Six ways to go on, one key each: Alt+1 … Alt+6.
import { Coins, Hash, Lightbulb, NotebookText, Scale, ShieldCheck, type LucideIcon } from 'lucide-react'
import { useEffect, type ReactNode } from 'react'
import { quickActions, type QuickAction } from '../../../shared/turn.ts'
import { useMirror } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { altKey } from '../../ui/accelerator.ts'
import { Tooltip } from '../../ui/Tooltip.tsx'

export const quickActionIcons: Record<QuickAction, LucideIcon> = {
  clarify: Lightbulb,
  counter: Scale,
  'check-number': Hash,
  cost: Coins,
  'best-practice': ShieldCheck,
  summarise: NotebookText
}

/** The quick action of a key press; null for every other press. */
export function quickActionOf(press: {
  readonly code: string
  readonly altKey: boolean
  readonly ctrlKey: boolean
  readonly metaKey: boolean
}): QuickAction | null {
  if (!press.altKey || press.ctrlKey || press.metaKey) return null
  // By place, not by character: Alt+1 types “¡” on some keyboards.
  const digit = /^(?:Digit|Numpad)([1-6])$/.exec(press.code)?.[1]
  return digit === undefined ? null : (quickActions[Number(digit) - 1] ?? null)
}

interface QuickActionsProps {
  readonly disabled: boolean
  readonly onRun: (action: QuickAction) => void
}

export function QuickActions({ disabled, onRun }: QuickActionsProps): ReactNode {
  const platform = useMirror((mirror) => mirror.desktop.platform)
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const action = quickActionOf(event)
      if (action === null || event.repeat) return
      event.preventDefault()
      if (!disabled) onRun(action)
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [disabled, onRun])
  return (
    <div className="quick" role="toolbar" aria-label={text.composer.quickActions}>
      {quickActions.map((action, index) => {
        const Icon = quickActionIcons[action]
        const words = text.quickActions[action]
        const align = index < 2 ? 'start' : index > 3 ? 'end' : 'middle'
        return (
          <Tooltip key={action} label={words.hint} shortcut={`${altKey(platform)}+${index + 1}`} place={{ align }}>
            <button type="button" className="quick-key" disabled={disabled} onClick={() => onRun(action)} aria-keyshortcuts={`Alt+${index + 1}`}>
              <Icon size={15} aria-hidden />
              <span>{words.label}</span>
              <kbd>{index + 1}</kbd>
            </button>
          </Tooltip>
        )
      })}
    </div>
  )
}
