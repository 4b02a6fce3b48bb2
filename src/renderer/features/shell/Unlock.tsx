// The locked start: the history is sealed with a passphrase, and this is the door. In the overlay as in the main window.
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useActions, useAppStore } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { Mark } from '../../ui/Mark.tsx'
import { PassphraseField } from '../../ui/PassphraseField.tsx'

type UnlockState = { readonly step: 'idle' | 'opening' } | { readonly step: 'refused'; readonly words: string; readonly notBefore: number | null }

export function Unlock(): ReactNode {
  const actions = useActions()
  const { bridge } = useAppStore()
  const [passphrase, setPassphrase] = useState('')
  const [state, setState] = useState<UnlockState>({ step: 'idle' })
  const field = useRef<HTMLInputElement>(null)
  const isHeldBack = state.step === 'refused' && state.notBefore !== null
  const notBefore = state.step === 'refused' ? state.notBefore : null

  useEffect(() => {
    if (notBefore === null) return undefined
    const timer = setTimeout(
      () => setState((old) => (old.step === 'refused' ? { ...old, notBefore: null } : old)),
      Math.max(0, notBefore - Date.now())
    )
    return () => clearTimeout(timer)
  }, [notBefore])
  useEffect(() => {
    if (bridge.window !== 'overlay') return undefined
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.isComposing) void actions.hideOverlay()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [actions, bridge])

  const unlock = async (): Promise<void> => {
    setState({ step: 'opening' })
    const refusal = await actions.unlock(passphrase)
    if (refusal === null) return
    setState({ step: 'refused', words: refusal.message, notBefore: refusal.retryAfterMs === undefined ? null : Date.now() + refusal.retryAfterMs })
    field.current?.focus()
    field.current?.select()
  }
  const words = text.unlock
  return (
    <main className="unlock">
      <form
        aria-busy={state.step === 'opening'}
        onSubmit={(event) => {
          event.preventDefault()
          if (passphrase !== '' && state.step !== 'opening' && !isHeldBack) void unlock()
        }}
      >
        <Mark size={30} />
        <h1>{words.title}</h1>
        <p>{words.body}</p>
        <PassphraseField
          ref={field}
          autoFocus // oxlint-disable-line jsx-a11y/no-autofocus -- nothing else can be done here
          purpose="current"
          label={words.field}
          value={passphrase}
          disabled={state.step === 'opening'}
          error={state.step === 'refused' ? state.words : null}
          onChange={(value) => {
            setPassphrase(value)
            if (state.step === 'refused' && state.notBefore === null) setState({ step: 'idle' })
          }}
        />
        <Button kind="primary" type="submit" disabled={passphrase === '' || state.step === 'opening' || isHeldBack}>
          {state.step === 'opening' ? words.opening : words.open}
        </Button>
        <p className="hint">{words.forgotten}</p>
      </form>
    </main>
  )
}
