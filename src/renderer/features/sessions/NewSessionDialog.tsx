// Starts a session for a meeting: a template to begin with, then what the answers should know.
import { useState, type ReactNode } from 'react'
import type { SessionDetails } from '../../../shared/domain.ts'
import { toCopilotError } from '../../../shared/errors.ts'
import { useActions } from '../../state/context.tsx'
import { formatMonthDay } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Segments } from '../../ui/Fields.tsx'
import { SessionForm } from './SessionForm.tsx'

const empty: SessionDetails = {
  title: '',
  clientName: '',
  meetingType: '',
  projectContext: '',
  serviceTypes: [],
  cloudProviders: [],
  customFields: {},
  notes: ''
}

/** A title from what is known, where none was typed: "Meridian Bank, cost review". */
export function titleOf(details: SessionDetails, now: number): string {
  if (details.title.trim() !== '') return details.title.trim()
  const meeting = details.meetingType.trim()
  const client = details.clientName.trim()
  if (client === '') return meeting === '' ? text.overlay.todayTitle(formatMonthDay(now)) : `${meeting}, ${formatMonthDay(now)}`
  return meeting === '' ? `${client}, ${formatMonthDay(now)}` : `${client}, ${meeting.toLowerCase()}`
}

export function NewSessionDialog(): ReactNode {
  const actions = useActions()
  const [details, setDetails] = useState(empty)
  const [template, setTemplate] = useState('blank')
  const [state, setState] = useState<'idle' | 'creating' | { readonly error: string }>('idle')
  const close = (): void => actions.setPanels({ newSessionOpen: false })

  const begin = (key: string): void => {
    const chosen = text.templates.find((candidate) => candidate.key === key)
    const old = text.templates.find((candidate) => candidate.key === template)
    if (chosen === undefined) return
    setTemplate(key)
    setDetails({
      ...details,
      meetingType: chosen.meetingType,
      serviceTypes: chosen.serviceTypes,
      // A context that was already written is the person's: a template replaces only its own words.
      projectContext: details.projectContext === '' || details.projectContext === old?.context ? chosen.context : details.projectContext
    })
  }
  const create = async (): Promise<void> => {
    setState('creating')
    try {
      const session = await actions.createSession({ ...details, title: titleOf(details, Date.now()) })
      close()
      actions.selectSession(session.id)
    } catch (error) {
      setState({ error: toCopilotError(error).message })
    }
  }

  return (
    <Dialog title={text.session.newTitle} onClose={close}>
      <p className="hint">{text.session.newIntro}</p>
      <form
        className="session-form"
        onSubmit={(event) => {
          event.preventDefault()
          void create()
        }}
      >
        <Segments
          chips
          label={text.session.template}
          value={template}
          options={text.templates.map(({ key, name }) => ({ value: key, label: name }))}
          onChange={begin}
        />
        <SessionForm details={details} withTitle onChange={(change) => setDetails({ ...details, ...change })} />
        {typeof state === 'object' ? (
          <p className="form-error" role="alert">
            {state.error}
          </p>
        ) : null}
        <div className="dialog-actions">
          <Button kind="quiet" onClick={close}>
            {text.session.cancel}
          </Button>
          <Button kind="primary" type="submit" disabled={state === 'creating'}>
            {state === 'creating' ? text.session.creating : text.session.create}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
