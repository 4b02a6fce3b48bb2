// Where answers come from: the service, an OpenAI-compatible server, Ollama. The key goes in and never comes back.
import { useState, type ReactNode } from 'react'
import { useActions, useMirror } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { Field, Switch } from '../../ui/Fields.tsx'

/** Empty, or an http(s) address without a name and password in it. */
export function isServerAddress(value: string): boolean {
  if (value === '') return true
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
}

export function ServiceSettings(): ReactNode {
  const service = useMirror((mirror) => mirror.link.service)
  const settings = useMirror((mirror) => mirror.settings.service)
  const actions = useActions()
  const words = text.settings
  return (
    <>
      <p className="answers-from">
        <span className="legend">{words.answersFrom}</span>
        <strong>{service.answeredBy ?? (service.embedded ? words.embedded : words.remote(service.address))}</strong>
        <span className="hint num">
          {service.embedded ? words.embedded : words.remote(service.address)}
          {service.version === null ? '' : ` · ${words.serviceVersion(service.version)}`}
        </span>
      </p>
      <Switch
        label={words.findOllama}
        hint={words.findOllamaHint}
        checked={settings.findOllama}
        onChange={(findOllama) => void actions.changeSettings({ service: { findOllama } })}
      />
      <ServerForm key={`${settings.openaiBaseUrl} ${settings.openaiModel}`} url={settings.openaiBaseUrl} model={settings.openaiModel} />
      <KeyForm />
    </>
  )
}

function ServerForm({ url, model }: { readonly url: string; readonly model: string }): ReactNode {
  const actions = useActions()
  const words = text.settings
  const [address, setAddress] = useState(url)
  const [name, setName] = useState(model)
  const valid = isServerAddress(address.trim())
  const changed = address.trim() !== url || name.trim() !== model
  return (
    <form
      className="settings-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (valid && changed) void actions.changeSettings({ service: { openaiBaseUrl: address.trim(), openaiModel: name.trim() } })
      }}
    >
      <Field label={words.openaiUrl} hint={words.openaiUrlHint} error={valid ? null : words.openaiUrlWrong}>
        <input
          className="input mono"
          type="text"
          inputMode="url"
          spellCheck={false}
          maxLength={500}
          value={address}
          onChange={(event) => setAddress(event.target.value)}
        />
      </Field>
      <div className="inline-form">
        <Field label={words.openaiModel}>
          <input className="input mono" spellCheck={false} maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <Button type="submit" disabled={!valid || !changed}>
          {words.apply}
        </Button>
      </div>
    </form>
  )
}

function KeyForm(): ReactNode {
  const actions = useActions()
  const words = text.settings
  const [key, setKey] = useState('')
  const [outcome, setOutcome] = useState<'kept' | 'removed' | null>(null)
  const save = async (): Promise<void> => {
    const saved = await actions.setProviderKey(key.trim())
    if (saved === null) return
    setKey('')
    setOutcome(saved.value.set ? 'kept' : 'removed')
  }
  return (
    <form
      className="inline-form"
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <Field label={words.openaiKey} hint={outcome === null ? words.openaiKeyHint : outcome === 'kept' ? words.keySaved : words.keyRemoved}>
        <input
          className="input mono"
          type="password"
          autoComplete="off"
          spellCheck={false}
          maxLength={500}
          value={key}
          onChange={(event) => {
            setKey(event.target.value)
            setOutcome(null)
          }}
        />
      </Field>
      <Button type="submit">{key.trim() === '' ? words.removeKey : words.saveKey}</Button>
    </form>
  )
}
