// How long each client's messages are kept: the rules, and what a new one would take today.
import { Plus } from 'lucide-react'
import { useEffect, useId, useState, type ReactNode } from 'react'
import type { Counts, HistoryStatus, RetentionRule } from '../../../shared/domain.ts'
import { toCopilotError } from '../../../shared/errors.ts'
import { useActions, useAppStore } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Field, Segments } from '../../ui/Fields.tsx'
import { useClients } from './useClients.ts'

const DAY_MS = 86_400_000
const MAX_DAYS = 36_500
const spans = ['30', '90', '180', '365', '730', '1825'] as const

interface RetentionRulesProps {
  readonly rules: readonly RetentionRule[]
  readonly onStatus: (status: HistoryStatus) => void
}

export function RetentionRules({ rules, onStatus }: RetentionRulesProps): ReactNode {
  const actions = useActions()
  const { bridge } = useAppStore()
  const [editing, setEditing] = useState<Partial<RetentionRule> | null>(null)
  const words = text.care
  const others = rules.filter((rule) => rule.clientName !== '').toSorted((a, b) => a.clientName.localeCompare(b.clientName))
  const fallback = rules.find((rule) => rule.clientName === '')
  const nameOf = (rule: { readonly clientName: string }): string =>
    rule.clientName === '' ? (others.length === 0 ? words.retentionNoClient : words.retentionDefault) : rule.clientName

  const remove = async (rule: RetentionRule): Promise<void> => {
    try {
      onStatus(await bridge.call('history.setRetention', { clientName: rule.clientName, days: null }))
      actions.note('info', words.retentionRemoved(nameOf(rule)))
    } catch (error) {
      actions.fail(error)
    }
  }
  return (
    <>
      <ul className="retention">
        {[...others, fallback ?? { clientName: '', days: null }].map((rule) => (
          <li key={rule.clientName}>
            <span className="retention-client">{nameOf(rule)}</span>
            <span className="num retention-span">{rule.days === null ? words.retentionForever : words.retentionDays(rule.days)}</span>
            <span className="retention-actions">
              <Button
                small
                kind="quiet"
                aria-label={`${words.retentionChange}: ${nameOf(rule)}`}
                onClick={() => setEditing(rule.days === null ? { clientName: '' } : rule)}
              >
                {words.retentionChange}
              </Button>
              {rule.days === null ? null : (
                <Button small kind="quiet" aria-label={`${words.retentionRemove}: ${nameOf(rule)}`} onClick={() => void remove(rule)}>
                  {words.retentionRemove}
                </Button>
              )}
            </span>
          </li>
        ))}
      </ul>
      <div className="care-actions">
        <Button small onClick={() => setEditing({})}>
          <Plus size={14} aria-hidden />
          {words.retentionAdd}
        </Button>
      </div>
      {editing === null ? null : <RuleDialog rule={editing} onStatus={onStatus} onClose={() => setEditing(null)} />}
    </>
  )
}

interface RuleDialogProps {
  readonly rule: Partial<RetentionRule>
  readonly onStatus: (status: HistoryStatus) => void
  readonly onClose: () => void
}

function RuleDialog({ rule, onStatus, onClose }: RuleDialogProps): ReactNode {
  const { bridge } = useAppStore()
  const clients = useClients()
  const list = useId()
  const [clientName, setClientName] = useState(rule.clientName ?? '')
  const [typed, setTyped] = useState(String(rule.days ?? 365))
  const [error, setError] = useState<string | null>(null)
  const days = Number(typed)
  const isValid = Number.isInteger(days) && days >= 1 && days <= MAX_DAYS
  const preview = useRulePreview(clientName.trim(), isValid ? days : null)
  const words = text.care
  const save = async (): Promise<void> => {
    try {
      onStatus(await bridge.call('history.setRetention', { clientName: clientName.trim(), days }))
      onClose()
    } catch (failure) {
      setError(toCopilotError(failure).message)
    }
  }
  return (
    <Dialog title={words.retentionNew} size="small" onClose={onClose}>
      <form
        className="care-form"
        onSubmit={(event) => {
          event.preventDefault()
          if (isValid) void save()
        }}
      >
        <Field label={words.retentionFor} hint={words.retentionForHint}>
          <input
            className="input"
            list={list}
            maxLength={200}
            value={clientName}
            readOnly={rule.clientName !== undefined}
            onChange={(event) => setClientName(event.target.value)}
          />
        </Field>
        <datalist id={list}>
          {clients.map((client) => (
            <option key={client} value={client} />
          ))}
        </datalist>
        <Segments
          chips
          label={words.retentionSpan}
          value={spans.find((span) => span === typed) ?? null}
          options={spans.map((span) => ({ value: span, label: words.retentionDays(Number(span)) }))}
          onChange={setTyped}
        />
        <Field label={words.retentionCustom}>
          <input className="input num" inputMode="numeric" maxLength={5} value={typed} onChange={(event) => setTyped(event.target.value)} />
        </Field>
        <p className="care-preview num" aria-live="polite">
          {preview === null
            ? ''
            : clientName.trim() === ''
              ? words.retentionPreviewAll(preview.messages)
              : words.retentionPreview(preview.sessions, preview.messages)}
        </p>
        {error === null ? null : (
          <p className="form-error" role="alert">
            {error}
          </p>
        )}
        <div className="dialog-actions">
          <Button kind="quiet" onClick={onClose}>
            {words.cancel}
          </Button>
          <Button kind="primary" type="submit" disabled={!isValid}>
            {words.retentionSave}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** What a rule would take today. Null while it is counted, or when it cannot be known. */
function useRulePreview(clientName: string, days: number | null): Counts | null {
  const { bridge } = useAppStore()
  const [counts, setCounts] = useState<Counts | null>(null)
  useEffect(() => {
    setCounts(null)
    if (days === null) return undefined
    const ended = new AbortController()
    const scope = { before: Math.max(0, Date.now() - days * DAY_MS), ...(clientName === '' ? {} : { clientName }) }
    bridge.call('history.purgePreview', scope, { signal: ended.signal }).then(setCounts, (error: unknown) => {
      // The rule can be set all the same; the figure is a courtesy.
      if (!ended.signal.aborted) reportError(error)
    })
    return () => ended.abort()
  }, [bridge, clientName, days])
  return counts
}
