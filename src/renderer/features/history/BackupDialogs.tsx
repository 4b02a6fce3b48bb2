// Backs up the history, brings a backup back, encrypts everything anew: long work that begins in a dialog and never blocks.
import { useState, type ReactNode } from 'react'
import { useAppStore } from '../../state/context.tsx'
import { formatBytes } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Switch } from '../../ui/Fields.tsx'
import { PassphraseField } from '../../ui/PassphraseField.tsx'
import { isSettable, NewPassphrase, typedNothing } from './NewPassphrase.tsx'
import { useLongWork, type LongWork } from './useLongWork.ts'

interface CareDialogProps {
  readonly onClose: () => void
}

export function BackupDialog({ onClose }: CareDialogProps): ReactNode {
  const { bridge } = useAppStore()
  const [sealed, setSealed] = useState(false)
  const [typed, setTyped] = useState(typedNothing)
  const work = useLongWork('backup', onClose)
  const words = text.care
  return (
    <Dialog title={words.backupTitle} size="small" onClose={onClose}>
      <form
        className="care-form"
        onSubmit={(event) => {
          event.preventDefault()
          work.start(async () => {
            const made = await bridge.call('history.backup', { passphrase: sealed ? typed.first : null })
            return made === null ? null : words.backupDone(made.fileName, formatBytes(made.sizeBytes))
          })
        }}
      >
        <p>{words.backupIntro}</p>
        <Switch label={words.backupSeal} hint={words.backupSealHint} checked={sealed} onChange={setSealed} />
        {sealed ? (
          <>
            <NewPassphrase label={words.backupPassphrase} repeatLabel={words.backupRepeat} typed={typed} onChange={setTyped} />
            <p className="care-warning">{words.passphraseWarning}</p>
          </>
        ) : null}
        <WorkFoot work={work} yes={words.backupYes} disabled={sealed && !isSettable(typed)} onClose={onClose} />
      </form>
    </Dialog>
  )
}

export function RestoreDialog({ onClose }: CareDialogProps): ReactNode {
  const { bridge } = useAppStore()
  const [passphrase, setPassphrase] = useState('')
  const work = useLongWork('restore', onClose)
  const words = text.care
  const isWrong = work.error?.code === 'unauthenticated'
  return (
    <Dialog title={words.restoreTitle} size="small" onClose={onClose}>
      <form
        className="care-form"
        onSubmit={(event) => {
          event.preventDefault()
          work.start(async () => {
            const counts = await bridge.call('history.restore', { passphrase: passphrase === '' ? null : passphrase })
            return counts === null ? null : words.restoreDone(counts.sessions, counts.messages)
          })
        }}
      >
        <p>{words.restoreIntro}</p>
        <p>{words.restoreWaiting}</p>
        <PassphraseField
          purpose="current"
          label={words.restorePassphrase}
          hint={words.restorePassphraseHint}
          value={passphrase}
          error={isWrong ? work.error.message : null}
          onChange={setPassphrase}
        />
        <WorkFoot work={isWrong ? { ...work, error: null } : work} yes={words.restoreYes} onClose={onClose} />
      </form>
    </Dialog>
  )
}

export function RekeyDialog({ onClose }: CareDialogProps): ReactNode {
  const { bridge } = useAppStore()
  const work = useLongWork('rekey', onClose)
  const words = text.care
  return (
    <Dialog title={words.rekeyTitle} size="small" onClose={onClose}>
      <form
        className="care-form"
        onSubmit={(event) => {
          event.preventDefault()
          work.start(async () => {
            await bridge.call('history.rekey', null)
            return words.rekeyDone
          })
        }}
      >
        <p>{words.rekeyBody}</p>
        <WorkFoot work={work} yes={words.rekeyYes} onClose={onClose} />
      </form>
    </Dialog>
  )
}

interface WorkFootProps {
  readonly work: LongWork
  readonly yes: string
  readonly danger?: boolean
  readonly disabled?: boolean
  readonly onClose: () => void
}

/** The end of a dialog that begins long work: what went wrong, cancel, go. */
export function WorkFoot({ work, yes, danger = false, disabled = false, onClose }: WorkFootProps): ReactNode {
  return (
    <>
      {work.error === null ? null : (
        <p className="form-error" role="alert">
          {work.error.message}
        </p>
      )}
      <div className="dialog-actions">
        <Button kind="quiet" onClick={onClose}>
          {text.care.cancel}
        </Button>
        <Button kind={danger ? 'danger' : 'primary'} type="submit" disabled={disabled || work.busy}>
          {work.busy ? text.care.asking : yes}
        </Button>
      </div>
    </>
  )
}
