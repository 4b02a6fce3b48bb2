// Counters and histograms that cost an addition a step. prom-client hashes and checks the labels at every step, which costs many times
// that; here the numbers of each series are held by whoever counts, and prom-client hears of them when somebody asks for the figures.
import { Counter, Histogram, type Registry } from 'prom-client'

/** One series of a counter. */
export interface Tally {
  /** By one, or by so many; not less than 0. */
  add(by?: number): void
}

/** One series of a histogram. */
export interface Spread {
  observe(value: number): void
}

/** The series with these values of the labels, in their order; the same one each time. It is shown once something was counted. */
export type SeriesOf<Series> = (...values: readonly string[]) => Series

export interface Tallies {
  counter(name: string, help: string, labelNames?: readonly string[]): { readonly of: SeriesOf<Tally>; readonly metric: Counter }
  /** `bounds` ascend. */
  histogram(name: string, help: string, about: { bounds: readonly number[]; labelNames?: readonly string[] }): Histograms
}

export interface Histograms {
  readonly of: SeriesOf<Spread>
  readonly metric: Histogram
}

type Labels = Record<string, string>

export function createTallies(registry: Registry): Tallies {
  const registers = [registry]
  return {
    counter(name, help, labelNames = []) {
      const { of, all } = seriesBy(labelNames, (labels) => {
        const series = { labels, sum: 0, isCounted: false, add: (by = 1) => void ((series.sum += by), (series.isCounted = true)) }
        return series
      })
      const metric = new Counter({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        collect() {
          this.reset()
          for (const { labels, sum, isCounted } of all()) if (isCounted) this.inc(labels, sum)
        }
      })
      return { of, metric }
    },
    histogram(name, help, { bounds, labelNames = [] }) {
      const { of, all } = seriesBy(labelNames, (labels) => createSpread(labels, bounds))
      if (labelNames.length === 0) of()
      const metric = new HeldHistogram({ name, help, buckets: [...bounds], labelNames: [...labelNames], registers }, () =>
        [...all()].filter(({ count }) => count > 0 || labelNames.length === 0).flatMap((series) => valuesOf(name, bounds, series))
      )
      return { of, metric }
    }
  }
}

interface Held extends Spread {
  readonly labels: Labels
  /** Those up to each bound and above the one before; the last: above all bounds. */
  readonly inBucket: readonly number[]
  readonly sum: number
  readonly count: number
}

function createSpread(labels: Labels, bounds: readonly number[]): Held {
  const inBucket = Array.from({ length: bounds.length + 1 }, () => 0)
  const held = {
    labels,
    inBucket,
    sum: 0,
    count: 0,
    observe(value: number): void {
      let bucket = 0
      while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1
      inBucket[bucket] = (inBucket[bucket] ?? 0) + 1
      held.sum += value
      held.count += 1
    }
  }
  return held
}

function seriesBy<Series>(labelNames: readonly string[], make: (labels: Labels) => Series): { of: SeriesOf<Series>; all: () => Iterable<Series> } {
  const known = new Map<string, Series>()
  return {
    of(...values) {
      const key = values.length === 1 ? (values[0] ?? '') : values.join('\u0000')
      let series = known.get(key)
      if (series === undefined) {
        series = make(Object.fromEntries(labelNames.map((name, index) => [name, values[index] ?? ''])))
        known.set(key, series)
      }
      return series
    },
    all: () => known.values()
  }
}

type Figures = Awaited<ReturnType<Histogram['get']>>
type Figure = Figures['values'][number]

/** As prom-client writes a histogram: every bucket holds those below it. */
function valuesOf(name: string, bounds: readonly number[], { labels, inBucket, sum, count }: Held): readonly Figure[] {
  let below = 0
  const buckets = bounds.map((le, index) => {
    below += inBucket[index] ?? 0
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: below }
  })
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count }
  ]
}

/** A histogram whose figures are held elsewhere. */
class HeldHistogram extends Histogram {
  readonly #figures: () => Figures

  constructor(configuration: ConstructorParameters<typeof Histogram>[0], values: () => Figure[]) {
    super(configuration)
    const { name, help } = configuration
    // The type asks for a `collect` that prom-client's own figures do not have.
    this.#figures = () => ({ name, help, type: 'histogram', aggregator: 'sum', values: values() }) as unknown as Figures
  }

  override async get(): Promise<Figures> {
    return this.#figures()
  }

  /** What a registry asks a histogram for; not among prom-client's types. */
  async getForPromString(): Promise<Figures> {
    return this.#figures()
  }
}
