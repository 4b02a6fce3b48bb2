// When it was said: a few periods, or two days that are typed.
import { useId, useState, type ReactNode } from 'react'
import { endOfDay, parseDay } from '../../text/days.ts'
import { dayKey } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { periodOf, periods, spanOf, type Period, type Span } from './period.ts'

interface PeriodFilterProps {
  readonly span: Span
  readonly onChange: (span: Span) => void
}

export function PeriodFilter({ span, onChange }: PeriodFilterProps): ReactNode {
  const [now] = useState(() => Date.now())
  const byFilter = periodOf(span, now)
  // Two empty days are no filter: only here is it known that they are being written.
  const [writing, setWriting] = useState(byFilter === 'days')
  const period: Period = writing || byFilter === 'days' ? 'days' : byFilter
  const choose = (next: Period): void => {
    setWriting(next === 'days')
    if (next !== 'days') onChange(spanOf(next, now))
  }
  return (
    <div className="period" role="group" aria-label={text.search.when}>
      <select className="input" aria-label={text.search.when} value={period} onChange={(event) => choose(event.target.value as Period)}>
        {periods.map((one) => (
          <option key={one} value={one}>
            {text.search.periods[one]}
          </option>
        ))}
      </select>
      {period === 'days' ? <Days span={span} now={now} onChange={onChange} /> : null}
    </div>
  )
}

interface Written {
  readonly from: string
  readonly to: string
}

function Days({ span, now, onChange }: PeriodFilterProps & { readonly now: number }): ReactNode {
  const [written, setWritten] = useState<Written>(() => ({
    from: span.from === undefined ? '' : dayKey(span.from),
    to: span.to === undefined ? '' : dayKey(span.to)
  }))
  // What is wrong is said once the field is left: a date that is being typed is not wrong yet.
  const [left, setLeft] = useState(false)
  const messageId = useId()
  const problem = problemOf(written, now)

  const write = (next: Written): void => {
    setWritten(next)
    setLeft(false)
    if (problemOf(next, now) !== null) return
    const [from, to] = [parseDay(next.from, now), parseDay(next.to, now)]
    onChange({ ...(from === null ? {} : { from }), ...(to === null ? {} : { to: endOfDay(to) }) })
  }
  return (
    <>
      {(['from', 'to'] as const).map((end) => (
        <label key={end} className="period-day">
          <span>{text.search[end]}</span>
          <input
            className="input num"
            autoComplete="off"
            spellCheck={false}
            maxLength={40}
            placeholder={text.search.dayExample}
            value={written[end]}
            aria-invalid={left && isWrong(written[end], now)}
            aria-describedby={left && problem !== null ? messageId : undefined}
            onChange={(event) => write({ ...written, [end]: event.target.value })}
            onBlur={() => setLeft(true)}
          />
        </label>
      ))}
      <span id={messageId} className="period-problem" role="status">
        {left ? problem : null}
      </span>
    </>
  )
}

const isWrong = (written: string, now: number): boolean => written.trim() !== '' && parseDay(written, now) === null

function problemOf({ from, to }: Written, now: number): string | null {
  if (isWrong(from, now) || isWrong(to, now)) return text.search.noDay
  const [first, last] = [parseDay(from, now), parseDay(to, now)]
  return first !== null && last !== null && first > last ? text.search.wrongOrder : null
}
