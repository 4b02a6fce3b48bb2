// Sets, changes or removes the passphrase of the history.
import { useState, type ReactNode } from 'react'
import type { HistoryStatus } from '../../../shared/domain.ts'
import { toCopilotError, type CopilotError } from '../../../shared/errors.ts'
import { useActions, useAppStore } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { PassphraseField } from '../../ui/PassphraseField.tsx'
import { isSettable, NewPassphrase, typedNothing } from './NewPassphrase.tsx'

export type PassphraseChange = 'set' | 'change' | 'remove'

interface PassphraseDialogProps {
  readonly change: PassphraseChange
  readonly onStatus: (status: HistoryStatus) => void
  readonly onClose: () => void
}

export function PassphraseDialog({ change, onStatus, onClose }: PassphraseDialogProps): ReactNode {
  const actions = useActions()
  const { bridge } = useAppStore()
  const [current, setCurrent] = useState('')
  const [typed, setTyped] = useState(typedNothing)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<CopilotError | null>(null)
  const words = text.care
  const title = { set: words.setPassphrase, change: words.changePassphrase, remove: words.removePassphrase }[change]
  const isReady = (change === 'set' || current !== '') && (change === 'remove' || isSettable(typed)) && !busy
  const isWrong = error?.code === 'unauthenticated'

  const apply = async (): Promise<void> => {
    setBusy(true)
    setError(null)
    try {
      onStatus(
        await bridge.call('history.setPassphrase', { current: change === 'set' ? null : current, next: change === 'remove' ? null : typed.first })
      )
      actions.note('info', { set: words.passphraseSet, change: words.passphraseChanged, remove: words.passphraseRemoved }[change])
      onClose()
    } catch (failure) {
      setError(toCopilotError(failure))
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} size="small" onClose={onClose}>
      <form
        className="care-form"
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady) void apply()
        }}
      >
        <p>{change === 'remove' ? words.removeIntro : words.passphraseIntro}</p>
        {change === 'set' ? null : (
          <PassphraseField purpose="current" label={words.current} value={current} error={isWrong ? error.message : null} onChange={setCurrent} />
        )}
        {change === 'remove' ? null : (
          <>
            <NewPassphrase label={words.next} repeatLabel={words.repeat} typed={typed} onChange={setTyped} />
            <p className="care-warning">{words.passphraseWarning}</p>
          </>
        )}
        {error === null || isWrong ? null : (
          <p className="form-error" role="alert">
            {error.message}
          </p>
        )}
        <div className="dialog-actions">
          <Button kind="quiet" onClick={onClose}>
            {words.cancel}
          </Button>
          <Button kind={change === 'remove' ? 'danger' : 'primary'} type="submit" disabled={!isReady}>
            {busy ? words.working : title}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
