// Writes the history, a session, a client's part or the usage ledger to a file; from Settings, a session or the usage page.
import { useState, type ReactNode } from 'react'
import { exportFormats, type ExportFormat } from '../../../shared/domain.ts'
import { useActions, useAppStore, useMirror } from '../../state/context.tsx'
import type { ExportStart } from '../../state/model.ts'
import { endOfDay, parseDay } from '../../text/days.ts'
import { text } from '../../text/text.ts'
import { DayField, isNoDay } from '../../ui/DayField.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Field, Segments } from '../../ui/Fields.tsx'
import { WorkFoot } from './BackupDialogs.tsx'
import { SessionPicker } from './SessionPicker.tsx'
import { useClients } from './useClients.ts'
import { useLongWork } from './useLongWork.ts'

export function ExportDialog({ start }: { readonly start: ExportStart }): ReactNode {
  const actions = useActions()
  const { bridge } = useAppStore()
  const clients = useClients()
  const sessions = useMirror((mirror) => mirror.sessions)
  const [format, setFormat] = useState<ExportFormat>(start.format ?? 'markdown')
  const [clientName, setClientName] = useState(start.clientName ?? '')
  const [sessionId, setSessionId] = useState(start.sessionId ?? '')
  const [now] = useState(() => Date.now())
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [first, last] = [parseDay(from, now), parseDay(to, now)]
  const isWrong = isNoDay(from, now) || isNoDay(to, now) || (first !== null && last !== null && first > last)
  const work = useLongWork('export', actions.endExport)
  const words = text.exporting
  const write = async (): Promise<string | null> => {
    const written = await bridge.call('export.write', {
      format,
      ...(sessionId === '' ? {} : { sessionId }),
      ...(clientName === '' ? {} : { clientName }),
      ...(first === null ? {} : { from: first }),
      // The whole last day counts.
      ...(last === null ? {} : { to: endOfDay(last) })
    })
    if (written === null) return null
    return format === 'csv' ? words.doneUsage(written.fileName) : words.done(written.fileName, written.sessions, written.messages)
  }
  return (
    <Dialog title={words.title} size="small" onClose={actions.endExport}>
      <form
        className="care-form"
        onSubmit={(event) => {
          event.preventDefault()
          work.start(write)
        }}
      >
        <div>
          <Segments
            chips
            label={words.format}
            value={format}
            options={exportFormats.map((value) => ({ value, label: words.formats[value] }))}
            onChange={setFormat}
          />
          <p className="hint care-after">{words.hints[format]}</p>
        </div>
        <Field label={words.client}>
          <select
            className="input"
            value={clientName}
            onChange={(event) => {
              setClientName(event.target.value)
              if (event.target.value !== '' && sessions[sessionId]?.clientName !== event.target.value) setSessionId('')
            }}
          >
            <option value="">{words.anyClient}</option>
            {clients.map((client) => (
              <option key={client}>{client}</option>
            ))}
          </select>
        </Field>
        <Field label={words.session}>
          <SessionPicker value={sessionId} clientName={clientName} anyLabel={words.anySession} onChange={setSessionId} />
        </Field>
        <div className="pair">
          <DayField label={words.from} written={from} now={now} onChange={setFrom} />
          <DayField label={words.to} written={to} now={now} onChange={setTo} />
        </div>
        <p className="care-warning">{words.plain}</p>
        <WorkFoot work={work} yes={words.yes} disabled={isWrong} onClose={actions.endExport} />
      </form>
    </Dialog>
  )
}
