// Days of the range as a chart, or as the table that says the same to whoever cannot see it.
import { useMemo, useState, type ReactNode } from 'react'
import type { UsageReport } from '../../../shared/domain.ts'
import { useTheme } from '../../ui/theme.ts'
import { formatCost, formatDate, formatInteger } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { Segments } from '../../ui/Fields.tsx'
import { DayChart } from './DayChart.tsx'
import { metrics, seriesOf, type Metric } from './series.ts'

export function ByDay({ report }: { readonly report: UsageReport }): ReactNode {
  const [chosen, setChosen] = useState<Metric | null>(null)
  const [asTable, setAsTable] = useState(false)
  // Where nothing costs anything, a flat line of zeros says nothing.
  const metric = chosen ?? (report.totals.costMicros === 0 ? 'turns' : 'cost')
  const series = useMemo(() => seriesOf(report, metric), [report, metric])
  const theme = useTheme()
  const words = text.usage
  return (
    <section className="usage-block">
      <div className="usage-block-head">
        <h2>{words.byDay}</h2>
        {asTable ? null : (
          <Segments
            label={words.metric}
            hideLabel
            value={metric}
            options={metrics.map((value) => ({ value, label: words[value] }))}
            onChange={setChosen}
          />
        )}
        <Button small kind="quiet" onClick={() => setAsTable(!asTable)}>
          {asTable ? words.asChart : words.asTable}
        </Button>
      </div>
      {asTable ? <DayTable report={report} /> : <DayChart series={series} metric={metric} theme={theme} />}
    </section>
  )
}

function DayTable({ report }: { readonly report: UsageReport }): ReactNode {
  const words = text.usage
  const days = [...report.byDay].sort((a, b) => b.key.localeCompare(a.key))
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={words.byDay}>
      <table className="table num">
        <thead>
          <tr>
            {[words.day, words.cost, words.turns, words.tokensIn, words.tokensOut, words.failed].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.map(({ key, totals }) => (
            <tr key={key}>
              <th scope="row">{formatDate(new Date(`${key}T00:00:00`).getTime())}</th>
              <td>{formatCost(totals.costMicros)}</td>
              <td>{formatInteger(totals.turns)}</td>
              <td>{formatInteger(totals.inputTokens)}</td>
              <td>{formatInteger(totals.outputTokens)}</td>
              <td>{formatInteger(totals.failed)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
