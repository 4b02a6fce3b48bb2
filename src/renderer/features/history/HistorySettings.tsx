// Settings, "History & privacy": how much is kept, how it is locked, how it is saved, taken out and removed.
import { Archive, Download, KeyRound, RotateCcwKey, TriangleAlert } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import type { HistoryStatus } from '../../../shared/domain.ts'
import { useActions, useMirror } from '../../state/context.tsx'
import { formatBytes, formatRecent } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { useNow } from '../../ui/clock.ts'
import { PrivacySettings } from '../settings/PrivacySettings.tsx'
import { BackupDialog, RekeyDialog, RestoreDialog } from './BackupDialogs.tsx'
import { ImportButton } from './ImportDialog.tsx'
import { PassphraseDialog, type PassphraseChange } from './PassphraseDialog.tsx'
import { PurgeDialog } from './PurgeDialog.tsx'
import { backupReminder } from './reminder.ts'
import { RetentionRules } from './RetentionRules.tsx'
import { useHistoryStatus } from './useHistoryStatus.ts'

type OpenDialog = PassphraseChange | 'rekey' | 'backup' | 'restore' | 'purge'

export function HistorySettings(): ReactNode {
  const actions = useActions()
  const { status, error, put, reload } = useHistoryStatus()
  const [open, setOpen] = useState<OpenDialog | null>(null)
  const close = (): void => setOpen(null)
  const words = text.care
  return (
    <>
      {error === null ? null : (
        <p className="form-error" role="alert">
          {words.failedLoad} {error}{' '}
          <Button small onClick={reload}>
            {words.retry}
          </Button>
        </p>
      )}
      <Figures status={status} />
      <KeyBlock onOpen={setOpen} />
      <Block title={words.backupTitle} hint={words.backupHint}>
        <Reminder status={status} />
        <div className="care-actions">
          <Button onClick={() => setOpen('backup')}>
            <Archive size={15} aria-hidden />
            {words.backup}
          </Button>
          <Button kind="quiet" onClick={() => setOpen('restore')}>
            {words.restore}
          </Button>
        </div>
      </Block>
      <Block title={words.transferTitle} hint={words.transferHint}>
        <div className="care-actions">
          <Button onClick={() => actions.beginExport({})}>
            <Download size={15} aria-hidden />
            {words.export}
          </Button>
          <ImportButton />
        </div>
      </Block>
      <Block title={words.retentionTitle}>
        <RetentionRules rules={status?.retention ?? []} onStatus={put} />
      </Block>
      <Block title={words.purgeTitle} hint={words.purgeHint}>
        <div className="care-actions">
          <Button kind="danger" onClick={() => setOpen('purge')}>
            {words.purge}
          </Button>
        </div>
      </Block>
      <PrivacySettings />
      {open === 'set' || open === 'change' || open === 'remove' ? <PassphraseDialog change={open} onStatus={put} onClose={close} /> : null}
      {open === 'rekey' ? <RekeyDialog onClose={close} /> : null}
      {open === 'backup' ? <BackupDialog onClose={close} /> : null}
      {open === 'restore' ? <RestoreDialog onClose={close} /> : null}
      {open === 'purge' ? <PurgeDialog onClose={close} /> : null}
    </>
  )
}

function Block({ title, hint, children }: { readonly title: string; readonly hint?: string; readonly children: ReactNode }): ReactNode {
  return (
    <section className="care-block" aria-label={title}>
      <h3>{title}</h3>
      {hint === undefined ? null : <p className="hint">{hint}</p>}
      {children}
    </section>
  )
}

/** A figure that is not known yet is a dash. */
function Figures({ status }: { readonly status: HistoryStatus | null }): ReactNode {
  const now = useNow()
  const words = text.care.figures
  const when = (at: number | null): string => (at === null ? words.never : formatRecent(at, now))
  const figures: [string, string, string?][] =
    status === null
      ? [
          [words.held, '–'],
          [words.size, '–'],
          [words.check, '–'],
          [words.backup, '–']
        ]
      : [
          [words.held, words.ofMessages(status.messages), words.ofSessions(status.sessions)],
          [words.size, formatBytes(status.sizeBytes)],
          [words.check, when(status.lastCheckAt)],
          [words.backup, when(status.lastBackupAt)]
        ]
  return (
    <dl className="care-figures num">
      {figures.map(([name, value, more]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {more === undefined ? null : <span>{more}</span>}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function KeyBlock({ onOpen }: { readonly onOpen: (dialog: OpenDialog) => void }): ReactNode {
  const storage = useMirror((mirror) => mirror.desktop.keyStorage)
  const words = text.care
  return (
    <Block title={words.keyTitle}>
      <p className={storage === 'file' ? 'care-reminder' : undefined} data-tone={storage === 'file' ? 'waiting' : undefined}>
        {storage === 'file' ? <TriangleAlert size={16} aria-hidden /> : null}
        <span>{words.key[storage]}</span>
      </p>
      <div className="care-actions">
        {storage === 'passphrase' ? (
          <>
            <Button onClick={() => onOpen('change')}>
              <KeyRound size={15} aria-hidden />
              {words.changePassphrase}
            </Button>
            <Button kind="quiet" onClick={() => onOpen('remove')}>
              {words.removePassphrase}
            </Button>
          </>
        ) : (
          <Button kind={storage === 'file' ? 'primary' : 'plain'} onClick={() => onOpen('set')}>
            <KeyRound size={15} aria-hidden />
            {words.setPassphrase}
          </Button>
        )}
        <Button kind="quiet" onClick={() => onOpen('rekey')}>
          <RotateCcwKey size={15} aria-hidden />
          {words.rekey}
        </Button>
      </div>
    </Block>
  )
}

function Reminder({ status }: { readonly status: HistoryStatus | null }): ReactNode {
  const now = useNow()
  const reminder = status === null ? null : backupReminder(status, now)
  if (reminder === null) return null
  return (
    <p className="care-reminder" data-tone="waiting">
      <TriangleAlert size={16} aria-hidden />
      <span>{reminder === 'never' ? text.care.remind.never : text.care.remind.old(reminder)}</span>
    </p>
  )
}
