// Times of npm run load in a histogram of high dynamic range: three significant digits from a microsecond to ten minutes.
import { build, type Histogram } from 'hdr-histogram-js'

export type Times = Pick<Histogram, 'recordValue' | 'getValueAtPercentile' | 'maxValue'>

/** In ms. */
export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export function newTimes(): Times {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: 3 })
}

export function recordMs(times: Times, ms: number): void {
  times.recordValue(Math.max(1, Math.round(ms * 1_000)))
}

export function percentiles(times: Times): Percentiles {
  const ms = (micros: number): number => Math.round(micros / 10) / 100
  return { p50: ms(times.getValueAtPercentile(50)), p99: ms(times.getValueAtPercentile(99)), max: ms(times.maxValue) }
}
