// Brings conversations in: a file is read and checked whole, shown, and only then taken into the history, or not.
import { Upload } from 'lucide-react'
import { useId, useState, type ReactNode } from 'react'
import type { ImportPreview } from '../../../shared/domain.ts'
import { useActions, useAppStore } from '../../state/context.tsx'
import { formatDate, formatInteger } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Field } from '../../ui/Fields.tsx'
import { useClients } from './useClients.ts'
import { useLongWork } from './useLongWork.ts'
import { Facts, type Fact } from '../../ui/Facts.tsx'

/** The button that begins an import, and what follows from it. */
export function ImportButton(): ReactNode {
  const { bridge } = useAppStore()
  const [preview, setPreview] = useState<ImportPreview | null>(null)
  const reading = useLongWork('import', () => undefined)
  return (
    <>
      <Button
        disabled={reading.busy}
        onClick={() =>
          reading.start(async () => {
            setPreview(await bridge.call('import.read', null))
            return null
          })
        }
      >
        <Upload size={15} aria-hidden />
        {reading.busy ? text.importing.reading : text.care.import}
      </Button>
      {reading.error === null ? null : (
        <p className="form-error" role="alert">
          {reading.error.message}
        </p>
      )}
      {preview === null ? null : <ImportDialog preview={preview} onClose={() => setPreview(null)} />}
    </>
  )
}

function ImportDialog({ preview, onClose }: { readonly preview: ImportPreview; readonly onClose: () => void }): ReactNode {
  const actions = useActions()
  const { bridge } = useAppStore()
  const clients = useClients()
  const list = useId()
  const [clientName, setClientName] = useState('')
  const work = useLongWork('import', onClose)
  const words = text.importing
  const fresh = preview.sessions - preview.known
  const discard = (): void => {
    void actions.discardImport(preview.id)
    onClose()
  }
  const facts: Fact[] = [
    [words.found, text.care.figures.ofSessions(preview.sessions) + ' · ' + text.care.figures.ofMessages(preview.messages)],
    ...(preview.known === 0 ? [] : [[words.known, `${formatInteger(preview.known)}, ${words.knownNote}`] as const]),
    ...(preview.from === null || preview.to === null ? [] : [[words.period, `${formatDate(preview.from)} – ${formatDate(preview.to)}`] as const])
  ]
  return (
    <Dialog title={words.title} size="small" onClose={discard}>
      <form
        className="care-form"
        onSubmit={(event) => {
          event.preventDefault()
          work.start(async () => {
            const taken = await bridge.call('import.confirm', {
              id: preview.id,
              ...(clientName.trim() === '' ? {} : { clientName: clientName.trim() })
            })
            return words.done(taken.sessions, taken.messages)
          })
        }}
      >
        <div>
          <p className="import-file">{preview.fileName}</p>
          <p className="hint">{words.sources[preview.source]}</p>
        </div>
        <Facts facts={facts} />
        {preview.remarks.length === 0 ? null : (
          <section className="remarks" aria-label={words.remarks}>
            <h3 className="legend">{words.remarks}</h3>
            <ul>
              {preview.remarks.map((remark) => (
                <li key={remark}>{remark}</li>
              ))}
            </ul>
          </section>
        )}
        {fresh === 0 ? (
          <p className="care-preview">{words.nothing}</p>
        ) : (
          <>
            <Field label={words.client} hint={words.clientHint}>
              <input className="input" list={list} maxLength={200} value={clientName} onChange={(event) => setClientName(event.target.value)} />
            </Field>
            <datalist id={list}>
              {clients.map((client) => (
                <option key={client} value={client} />
              ))}
            </datalist>
            <p className="hint">{words.intro}</p>
          </>
        )}
        {work.error === null ? null : (
          <p className="form-error" role="alert">
            {work.error.message}
          </p>
        )}
        <div className="dialog-actions">
          <Button kind="quiet" onClick={discard}>
            {words.discard}
          </Button>
          <Button kind="primary" type="submit" disabled={fresh === 0 || work.busy}>
            {words.yes(fresh)}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
