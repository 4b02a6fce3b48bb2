// Global shortcuts: recorded by pressing them, unset, and the truth about whether the system gave them to us.
import { Check, CircleAlert, CircleDashed, type LucideIcon } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import type { DesktopStatus, Settings } from '../../../shared/domain.ts'
import { useActions, useMirror } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { acceleratorOf, keysOf } from '../../ui/accelerator.ts'
import { Button } from '../../ui/Button.tsx'
import { Keys } from '../../ui/Fields.tsx'

type ShortcutName = keyof Settings['shortcuts']
type ShortcutState = DesktopStatus['shortcuts'][string]
const names: readonly ShortcutName[] = ['toggleOverlay', 'askClipboard']
const stateIcons: Record<ShortcutState, LucideIcon> = { registered: Check, unset: CircleDashed, taken: CircleAlert }

export function ShortcutSettings(): ReactNode {
  return names.map((name) => <Shortcut key={name} name={name} />)
}

function Shortcut({ name }: { readonly name: ShortcutName }): ReactNode {
  const actions = useActions()
  const accelerator = useMirror((mirror) => mirror.settings.shortcuts[name])
  const state = useMirror((mirror) => mirror.desktop.shortcuts[name] ?? 'unset')
  const platform = useMirror((mirror) => mirror.desktop.platform)
  const [recording, setRecording] = useState<'no' | 'yes' | 'needs-modifier'>('no')
  const words = text.settings
  const label = words.shortcutNames[name]
  const StateIcon = stateIcons[state]
  const set = (value: string | null): void => {
    setRecording('no')
    void actions.changeSettings({ shortcuts: { [name]: value } })
  }
  return (
    <div className="shortcut" role="group" aria-label={label}>
      <span className="shortcut-name">{label}</span>
      {recording === 'no' ? (
        <>
          <span className="shortcut-keys">
            {accelerator === null ? null : <Keys keys={keysOf(accelerator, platform)} />}
            <span className="shortcut-state" data-state={state}>
              <StateIcon size={14} aria-hidden />
              {words.shortcutStates[state]}
            </span>
          </span>
          <Button small onClick={() => setRecording('yes')}>
            {words.record}
          </Button>
          <Button small kind="quiet" disabled={accelerator === null} onClick={() => set(null)}>
            {words.unset}
          </Button>
        </>
      ) : (
        <button
          type="button"
          className="input shortcut-recorder"
          autoFocus // oxlint-disable-line jsx-a11y/no-autofocus -- the person has just asked to press keys here
          aria-live="polite"
          onBlur={() => setRecording('no')}
          onKeyDown={(event) => {
            // Tab moves on: nobody is caught in here.
            if (event.key === 'Tab' && !event.ctrlKey && !event.altKey && !event.metaKey) return
            event.preventDefault()
            event.stopPropagation()
            if (event.key === 'Escape') {
              setRecording('no')
              return
            }
            if (['Control', 'Alt', 'Shift', 'Meta'].includes(event.key)) return
            const pressed = acceleratorOf(event, platform)
            if (pressed === null) setRecording('needs-modifier')
            else set(pressed)
          }}
        >
          {recording === 'yes' ? words.recording : words.recordNeedsModifier}
        </button>
      )}
    </div>
  )
}
