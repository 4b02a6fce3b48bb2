import { Counter, Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { createTallies } from './tallies.prometheus.ts'

const BOUNDS = [0.0025, 0.5, 1, 120]
const SAMPLES = [0, 0.0025, 0.0026, 0.5, 0.75, 1, 119.9, 120, 120.1, 9_000]

describe('tallies', () => {
  it('are written as prom-client writes what it counted itself', async () => {
    const [ours, theirs] = [new Registry(), new Registry()]
    const tallies = createTallies(ours)
    const counted = tallies.counter('asked_total', 'Asked.', ['dialect', 'outcome']).of
    const plain = tallies.counter('kept_total', 'Kept.').of()
    tallies.counter('never_total', 'Never.')
    tallies.counter('unseen_total', 'Unseen.', ['dialect']).of('rest')
    const timed = tallies.histogram('took_seconds', 'Took.', { bounds: BOUNDS, labelNames: ['dialect'] }).of
    const waited = tallies.histogram('waited_seconds', 'Waited.', { bounds: BOUNDS }).of()
    tallies.histogram('idle_seconds', 'Idle.', { bounds: BOUNDS })
    tallies.histogram('mute_seconds', 'Mute.', { bounds: BOUNDS, labelNames: ['dialect'] }).of('rest')
    const registers = [theirs]
    const counter = new Counter({ name: 'asked_total', help: 'Asked.', labelNames: ['dialect', 'outcome'], registers })
    const plainCounter = new Counter({ name: 'kept_total', help: 'Kept.', registers })
    theirs.registerMetric(new Counter({ name: 'never_total', help: 'Never.', registers: [] }))
    new Counter({ name: 'unseen_total', help: 'Unseen.', labelNames: ['dialect'], registers }).labels('rest')
    const histogram = new Histogram({ name: 'took_seconds', help: 'Took.', labelNames: ['dialect'], buckets: BOUNDS, registers })
    const plainHistogram = new Histogram({ name: 'waited_seconds', help: 'Waited.', buckets: BOUNDS, registers })
    theirs.registerMetric(new Histogram({ name: 'idle_seconds', help: 'Idle.', buckets: BOUNDS, registers: [] }))
    new Histogram({ name: 'mute_seconds', help: 'Mute.', labelNames: ['dialect'], buckets: BOUNDS, registers }).labels('rest')
    for (const [dialect, outcome, by] of [
      ['rest', 'done', 1],
      ['grpc', 'say "so"\n', 0],
      ['rest', 'done', 4]
    ] as const) {
      counted(dialect, outcome).add(by)
      counter.inc({ dialect, outcome }, by)
      plain.add()
      plainCounter.inc()
    }
    for (const value of SAMPLES) {
      for (const dialect of ['rest', 'grpc']) {
        timed(dialect).observe(value)
        histogram.observe({ dialect }, value)
      }
      waited.observe(value)
      plainHistogram.observe(value)
    }
    expect(await ours.metrics()).toBe(await theirs.metrics())
    // Asking changes nothing.
    expect(await ours.metrics()).toBe(await theirs.metrics())
    expect(await ours.getSingleMetricAsString('took_seconds')).toContain('took_seconds_bucket{le="120",dialect="grpc"} 8')
  })

  it('give the same series for the same labels, and keep labels apart', async () => {
    const { of, metric } = createTallies(new Registry()).counter('asked_total', 'Asked.', ['a', 'b'])
    of('x', 'yz').add()
    of('xy', 'z').add(2)
    of('x', 'yz').add(3)
    expect((await metric.get()).values.map(({ labels, value }) => [labels, value])).toEqual([
      [{ a: 'x', b: 'yz' }, 4],
      [{ a: 'xy', b: 'z' }, 2]
    ])
  })
})
