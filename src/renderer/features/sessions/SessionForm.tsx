// The details of a meeting as form fields: for a new session, and for the details panel.
import { Check, Plus, X } from 'lucide-react'
import { useId, useState, type ReactNode } from 'react'
import type { SessionDetails } from '../../../shared/domain.ts'
import { text } from '../../text/text.ts'
import { Button, IconButton } from '../../ui/Button.tsx'
import { Field } from '../../ui/Fields.tsx'

interface SessionFormProps {
  readonly details: SessionDetails
  readonly onChange: (change: Partial<SessionDetails>) => void
  /** The title is edited in the header where there is one. */
  readonly withTitle: boolean
}

export function SessionForm({ details, onChange, withTitle }: SessionFormProps): ReactNode {
  const words = text.session
  const types = useId()
  const providers = [...new Set([...text.cloudProviders, ...details.cloudProviders])]
  return (
    <>
      {withTitle ? (
        <Field label={words.title}>
          <input className="input" value={details.title} maxLength={200} onChange={(event) => onChange({ title: event.target.value })} />
        </Field>
      ) : null}
      <div className="pair">
        <Field label={words.client}>
          <input className="input" value={details.clientName} maxLength={200} onChange={(event) => onChange({ clientName: event.target.value })} />
        </Field>
        <Field label={words.meetingType}>
          <input
            className="input"
            list={types}
            value={details.meetingType}
            maxLength={200}
            onChange={(event) => onChange({ meetingType: event.target.value })}
          />
        </Field>
        <datalist id={types}>
          {text.templates
            .filter((template) => template.meetingType !== '')
            .map((template) => (
              <option key={template.key} value={template.meetingType} />
            ))}
        </datalist>
      </div>
      <Field label={words.context} hint={words.contextHint}>
        <textarea
          className="input"
          rows={4}
          value={details.projectContext}
          maxLength={4_000}
          onChange={(event) => onChange({ projectContext: event.target.value })}
        />
      </Field>
      <fieldset className="bare">
        <legend className="legend">{words.providers}</legend>
        <div className="choices">
          {providers.map((provider) => {
            const checked = details.cloudProviders.includes(provider)
            return (
              <label key={provider} className="choice">
                <input
                  type="checkbox"
                  checked={checked}
                  onChange={() =>
                    onChange({
                      cloudProviders: checked ? details.cloudProviders.filter((name) => name !== provider) : [...details.cloudProviders, provider]
                    })
                  }
                />
                {checked ? <Check size={14} aria-hidden /> : null}
                {provider}
              </label>
            )
          })}
        </div>
      </fieldset>
      <ListField
        label={words.services}
        hint={words.servicesHint}
        values={details.serviceTypes}
        onChange={(serviceTypes) => onChange({ serviceTypes })}
      />
      <OwnFields fields={details.customFields} onChange={(customFields) => onChange({ customFields })} />
    </>
  )
}

interface ListFieldProps {
  readonly label: string
  readonly hint: string
  readonly values: readonly string[]
  readonly onChange: (values: string[]) => void
}

/** Comma-separated words; what is typed stays as typed while the list follows it. */
function ListField({ label, hint, values, onChange }: ListFieldProps): ReactNode {
  const [typed, setTyped] = useState<string | null>(null)
  return (
    <Field label={label} hint={hint}>
      <input
        className="input"
        value={typed ?? values.join(', ')}
        onChange={(event) => {
          setTyped(event.target.value)
          onChange(splitList(event.target.value))
        }}
        onBlur={() => setTyped(null)}
      />
    </Field>
  )
}

function splitList(value: string): string[] {
  const words = value.split(',').map((word) => word.trim().slice(0, 200))
  return words.filter((word) => word !== '').slice(0, 30)
}

interface OwnFieldsProps {
  readonly fields: Readonly<Record<string, string>>
  readonly onChange: (fields: Record<string, string>) => void
}

function OwnFields({ fields, onChange }: OwnFieldsProps): ReactNode {
  const words = text.session
  const [name, setName] = useState('')
  const entries = Object.entries(fields)
  const add = (): void => {
    const key = name.trim()
    if (key === '' || key in fields) return
    onChange({ ...fields, [key]: '' })
    setName('')
  }
  return (
    <fieldset className="bare">
      <legend className="legend">{words.fields}</legend>
      {entries.map(([key, value]) => (
        <div key={key} className="own-field">
          <span>{key}</span>
          <input
            className="input"
            aria-label={key}
            maxLength={1_000}
            value={value}
            onChange={(event) => onChange({ ...fields, [key]: event.target.value })}
          />
          <IconButton
            small
            label={`${words.removeField}: ${key}`}
            place={{ align: 'end' }}
            onClick={() => onChange(Object.fromEntries(entries.filter(([other]) => other !== key)))}
          >
            <X size={15} aria-hidden />
          </IconButton>
        </div>
      ))}
      <div className="own-field-new">
        <input
          className="input"
          aria-label={words.fieldName}
          placeholder={words.fieldName}
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return
            event.preventDefault()
            add()
          }}
        />
        <Button kind="quiet" disabled={name.trim() === ''} onClick={add}>
          <Plus size={15} aria-hidden />
          {words.addField}
        </Button>
      </div>
    </fieldset>
  )
}
