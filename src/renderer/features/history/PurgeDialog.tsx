// Removes messages for good: choose what, see how much, confirm by typing it.
import { useEffect, useMemo, useState, type ReactNode } from 'react'
import type { Counts, PurgeScope } from '../../../shared/domain.ts'
import { toCopilotError } from '../../../shared/errors.ts'
import { useAppStore, useMirror } from '../../state/context.tsx'
import { parseDay } from '../../text/days.ts'
import { text } from '../../text/text.ts'
import { DayField, isNoDay } from '../../ui/DayField.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Field } from '../../ui/Fields.tsx'
import { WorkFoot } from './BackupDialogs.tsx'
import { isConfirmed, purgeScopeOf } from './purgeScope.ts'
import { SessionPicker } from './SessionPicker.tsx'
import { useClients } from './useClients.ts'
import { useLongWork } from './useLongWork.ts'

export function PurgeDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { bridge } = useAppStore()
  const clients = useClients()
  const sessions = useMirror((mirror) => mirror.sessions)
  const [clientName, setClientName] = useState('')
  const [sessionId, setSessionId] = useState('')
  const [now] = useState(() => Date.now())
  const [written, setWritten] = useState('')
  const before = parseDay(written, now)
  const [confirmation, setConfirmation] = useState('')
  const scope = useMemo(() => purgeScopeOf({ clientName, sessionId, before }), [clientName, sessionId, before])
  const { counts, error } = usePurgePreview(scope)
  const work = useLongWork('purge', onClose)
  const words = text.care
  const expected = clientName === '' ? String(counts?.messages ?? '') : clientName
  const takesSomething = counts !== null && counts.messages + counts.sessions > 0
  const isReady = scope !== null && !isNoDay(written, now) && takesSomething && isConfirmed(confirmation, expected)
  return (
    <Dialog title={words.purgeTitle} size="small" onClose={onClose}>
      <form
        className="care-form"
        onSubmit={(event) => {
          event.preventDefault()
          if (!isReady) return
          work.start(async () => {
            const taken = await bridge.call('history.purge', scope)
            return words.purgeDone(taken.sessions, taken.messages)
          })
        }}
      >
        <Field label={words.purgeClient}>
          <select
            className="input"
            value={clientName}
            onChange={(event) => {
              setClientName(event.target.value)
              if (sessions[sessionId]?.clientName !== event.target.value) setSessionId('')
            }}
          >
            <option value="">{words.purgeAnyClient}</option>
            {clients.map((client) => (
              <option key={client}>{client}</option>
            ))}
          </select>
        </Field>
        <Field label={words.purgeSession}>
          <SessionPicker value={sessionId} clientName={clientName} anyLabel={words.purgeAnySession} onChange={setSessionId} />
        </Field>
        <DayField label={words.purgeBefore} written={written} now={now} onChange={setWritten} />
        <p className="care-preview num" aria-live="polite" data-tone={takesSomething ? 'failed' : undefined}>
          {scope === null
            ? words.purgeChoose
            : (error ??
              (counts === null ? words.purgeCounting : takesSomething ? words.purgePreview(counts.sessions, counts.messages) : words.purgeNothing))}
        </p>
        {takesSomething ? (
          <Field label={words.purgeConfirm(clientName === '' ? String(counts.messages) : clientName)}>
            <input
              className="input"
              autoComplete="off"
              spellCheck={false}
              value={confirmation}
              onChange={(event) => setConfirmation(event.target.value)}
            />
          </Field>
        ) : null}
        <WorkFoot danger work={work} yes={words.purgeYes} disabled={!isReady} onClose={onClose} />
      </form>
    </Dialog>
  )
}

function usePurgePreview(scope: PurgeScope | null): { readonly counts: Counts | null; readonly error: string | null } {
  const { bridge } = useAppStore()
  const [preview, setPreview] = useState<{ readonly counts: Counts | null; readonly error: string | null }>({ counts: null, error: null })
  useEffect(() => {
    setPreview({ counts: null, error: null })
    if (scope === null) return undefined
    const ended = new AbortController()
    bridge.call('history.purgePreview', scope, { signal: ended.signal }).then(
      (counts) => setPreview({ counts, error: null }),
      (failure: unknown) => {
        if (!ended.signal.aborted) setPreview({ counts: null, error: toCopilotError(failure).message })
      }
    )
    return () => ended.abort()
  }, [bridge, scope])
  return preview
}
