// Cost, tokens or answers by day, drawn by uPlot in the theme's own colours; the table view holds the same figures.
import { useEffect, useRef, type ReactNode } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { formatCompact, formatCost, formatMonthDay } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import type { DaySeries, Metric } from './series.ts'

const HEIGHT = 220
/** uPlot's Axis.Side.Right: the value of a `const enum`, which single-file compilation cannot read. */
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment
const RIGHT = 1 as uPlot.Axis.Side

function formatMetric(metric: Metric, value: number): string {
  return metric === 'cost' ? formatCost(Math.round(value * 1_000_000)) : formatCompact(Math.round(value))
}

export function DayChart({ series, metric, theme }: { readonly series: DaySeries; readonly metric: Metric; readonly theme: string }): ReactNode {
  const host = useRef<HTMLDivElement>(null)
  const readout = useRef<HTMLParagraphElement>(null)
  const first = series.days[0] ?? 0
  const last = series.days.at(-1) ?? 0

  useEffect(() => {
    const element = host.current
    if (element === null) return undefined
    const style = getComputedStyle(document.documentElement)
    const colour = (name: string): string => style.getPropertyValue(name).trim()
    const font = `${style.fontSize === '' ? 12 : Math.round(parseFloat(style.fontSize) * 0.8)}px "Atkinson Hyperlegible Next Variable"`
    const bars = uPlot.paths.bars?.({ size: [0.72, 28, 1], radius: 0.12, gap: 1 })
    // Stacked: the second row stands on the first.
    const [below, above] = series.values
    const stacked = above === undefined ? [below ?? []] : [above.map((value, index) => value + (below?.[index] ?? 0)), below ?? []]
    const paints = above === undefined ? ['--accent'] : ['--accent-stack', '--accent']
    const axis = { stroke: colour('--ink-3'), font, ticks: { show: false }, border: { show: false } }
    const plot = new uPlot(
      {
        width: Math.max(240, element.clientWidth),
        height: HEIGHT,
        padding: [8, 4, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { show: false } },
        scales: {
          x: { time: false, range: () => [first - 43_200_000, last + 43_200_000] },
          y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] }
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 64,
            incrs: [1, 2, 7, 14, 30, 61, 91].map((days) => days * 86_400_000),
            values: (_plot, splits) => splits.map((at) => (at >= first - 1 && at <= last + 1 ? formatMonthDay(at) : ''))
          },
          {
            ...axis,
            side: RIGHT,
            size: 58,
            space: 44,
            grid: { stroke: colour('--line'), width: 1 },
            values: (_plot, splits) => splits.map((value) => formatMetric(metric, value))
          }
        ],
        series: [{}, ...paints.map((name) => barSeries(colour(name), bars))],
        hooks: {
          setCursor: [
            (plot) => {
              const at = plot.cursor.idx
              if (readout.current !== null) readout.current.textContent = at === null || at === undefined ? '' : readoutOf(series, metric, at)
            }
          ]
        }
      },
      [[...series.days], ...stacked.map((row) => row.slice())] as uPlot.AlignedData,
      element
    )
    const resize = new ResizeObserver(() => plot.setSize({ width: Math.max(240, element.clientWidth), height: HEIGHT }))
    resize.observe(element)
    return () => {
      resize.disconnect()
      plot.destroy()
    }
  }, [series, metric, theme, first, last])

  return (
    <figure className="day-chart">
      <div ref={host} role="img" aria-label={text.usage.chartLabel(text.usage[metric], formatMonthDay(first), formatMonthDay(last))} />
      <p ref={readout} className="day-readout num" aria-hidden="true" />
    </figure>
  )
}

function barSeries(fill: string, paths: uPlot.Series.PathBuilder | undefined): uPlot.Series {
  return { fill, width: 0, points: { show: false }, ...(paths === undefined ? {} : { paths }) }
}

function readoutOf(series: DaySeries, metric: Metric, index: number): string {
  const day = formatMonthDay(series.days[index] ?? 0)
  const [first, second] = series.values.map((row) => formatMetric(metric, row[index] ?? 0))
  return second === undefined ? `${day}: ${first ?? ''}` : `${day}: ${text.usage.inOut(first ?? '', second)}`
}
