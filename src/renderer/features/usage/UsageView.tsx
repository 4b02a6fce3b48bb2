// The usage page: what was asked, what it cost, how fast it was, from the ledger of this machine.
import { Download } from 'lucide-react'
import { useEffect, useState, type ReactNode } from 'react'
import type { Percentiles, UsageReport } from '../../../shared/domain.ts'
import { toCopilotError } from '../../../shared/errors.ts'
import { useActions, useAppStore } from '../../state/context.tsx'
import { formatCompact, formatCost, formatDuration, formatInteger, formatShare, startOfDay } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { Segments } from '../../ui/Fields.tsx'
import { Banners } from '../shell/Announcements.tsx'
import { MenuButton } from '../sessions/SessionHeader.tsx'
import { ByDay } from './ByDay.tsx'
import { GroupTable } from './GroupTable.tsx'

const ranges = ['7', '30', '90', '365'] as const
type Range = (typeof ranges)[number]

type Loaded =
  { readonly status: 'loading' } | { readonly status: 'failed'; readonly error: string } | { readonly status: 'ready'; readonly report: UsageReport }

/** From local midnight so many days back, today included, to the end of today. */
export function rangeOf(days: number, now: number): { from: number; to: number } {
  const from = new Date(startOfDay(now))
  from.setDate(from.getDate() - days + 1)
  const to = new Date(startOfDay(now))
  to.setDate(to.getDate() + 1)
  return { from: from.getTime(), to: to.getTime() }
}

export function UsageView(): ReactNode {
  const actions = useActions()
  const { bridge } = useAppStore()
  const [range, setRange] = useState<Range>('30')
  const [attempt, setAttempt] = useState(0)
  const [loaded, setLoaded] = useState<Loaded>({ status: 'loading' })

  useEffect(() => {
    const left = new AbortController()
    bridge.call('usage.report', rangeOf(Number(range), Date.now()), { signal: left.signal }).then(
      (report) => setLoaded({ status: 'ready', report }),
      (error: unknown) => {
        if (!left.signal.aborted) setLoaded({ status: 'failed', error: toCopilotError(error).message })
      }
    )
    return () => left.abort()
  }, [bridge, range, attempt])

  return (
    <main className="page">
      <header className="page-head">
        <MenuButton />
        <div className="page-title">
          <h1>{text.usage.title}</h1>
          <p>{text.usage.intro}</p>
        </div>
        <div className="page-actions">
          <Button small onClick={() => actions.beginExport({ format: 'csv' })}>
            <Download size={14} aria-hidden />
            {text.usage.export}
          </Button>
        </div>
      </header>
      <Banners />
      {/* A scrolling region must be reachable by keyboard. */}
      <div className="page-scroll" tabIndex={0} role="region" aria-label={text.usage.title}>
        <div className="usage">
          <Segments
            label={text.usage.range}
            hideLabel
            value={range}
            options={ranges.map((value) => ({ value, label: text.usage.ranges[value] }))}
            onChange={setRange}
          />
          {loaded.status === 'loading' ? <p role="status">{text.usage.loading}</p> : null}
          {loaded.status === 'failed' ? (
            <div className="empty" role="alert">
              <h2>{text.usage.failedLoad}</h2>
              <p>{loaded.error}</p>
              <Button onClick={() => setAttempt(attempt + 1)}>{text.usage.retry}</Button>
            </div>
          ) : null}
          {loaded.status === 'ready' ? <Report report={loaded.report} /> : null}
        </div>
      </div>
    </main>
  )
}

function Report({ report }: { readonly report: UsageReport }): ReactNode {
  const { totals } = report
  const words = text.usage
  if (totals.turns === 0 && totals.failed === 0) {
    return (
      <div className="empty">
        <h2>{words.emptyTitle}</h2>
        <p>{words.emptyBody}</p>
      </div>
    )
  }
  const tokens = totals.inputTokens + totals.outputTokens
  return (
    <>
      <dl className="figures num">
        <Figure name={words.cost} value={formatCost(totals.costMicros)} />
        <Figure name={words.turns} value={formatInteger(totals.turns)} />
        <Figure
          name={words.tokens}
          value={formatCompact(tokens)}
          note={words.inOut(formatCompact(totals.inputTokens), formatCompact(totals.outputTokens))}
        />
        <Figure name={words.failed} value={formatInteger(totals.failed)} note={words.failedOf(formatShare(totals.failed, totals.turns))} />
        <Figure name={words.failovers} value={formatInteger(totals.failovers)} note={words.failoversHint} />
      </dl>
      <ByDay report={report} />
      <Latency firstText={report.firstTextMs} total={report.totalMs} />
      <div className="usage-tables">
        <GroupTable title={words.byClient} groups={report.byClient} unnamed={words.noClient} />
        <GroupTable title={words.bySession} groups={report.bySession} unnamed={text.rail.untitled} />
        <GroupTable title={words.byModel} groups={report.byModel} unnamed="–" />
        <GroupTable title={words.byProvider} groups={report.byProvider} unnamed="–" />
        <Failures report={report} />
      </div>
    </>
  )
}

function Figure({ name, value, note }: { readonly name: string; readonly value: string; readonly note?: string }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {note === undefined ? null : <small>{note}</small>}
      </dd>
    </div>
  )
}

function Latency({ firstText, total }: { readonly firstText: Percentiles | null; readonly total: Percentiles | null }): ReactNode {
  const rows: [string, Percentiles | null][] = [
    [text.usage.firstText, firstText],
    [text.usage.total, total]
  ]
  return (
    <section className="usage-block">
      <h2>{text.usage.latency}</h2>
      <table className="table num latency">
        <thead>
          <tr>
            <td />
            {['p50', 'p95', 'p99'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, values]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {values === null
                ? [0, 1, 2].map((column) => <td key={column}>–</td>)
                : [values.p50, values.p95, values.p99].map((value, column) => <td key={column}>{formatDuration(value)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Failures({ report }: { readonly report: UsageReport }): ReactNode {
  return (
    <section className="usage-block">
      <h2>{text.usage.byError}</h2>
      {report.byError.length === 0 ? (
        <p className="hint">{text.usage.noFailures}</p>
      ) : (
        <table className="table num">
          <thead>
            <tr>
              <th scope="col">{text.usage.code}</th>
              <th scope="col">{text.usage.count}</th>
            </tr>
          </thead>
          <tbody>
            {report.byError.map((row) => (
              <tr key={row.code}>
                <td>{row.code.replaceAll('_', ' ')}</td>
                <td>{formatInteger(row.count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
