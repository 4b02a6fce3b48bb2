// What is counted comes out as Prometheus reads it, and no label can grow without end.
import { describe, expect, it } from 'vitest'
import { boundedNames, dialects, isBroken } from './metrics.ts'
import { createPrometheusMetrics } from './metrics.prometheus.ts'

const never = new AbortController().signal

function setUp() {
  let now = 0
  const metrics = createPrometheusMetrics({ version: '1.2.3', monotonic: () => now })
  const value = async (line: string): Promise<number | undefined> => {
    const { text } = await metrics.render(never)
    const found = text.split('\n').find((each) => each.startsWith(`${line} `))
    return found === undefined ? undefined : Number(found.slice(line.length + 1))
  }
  return { metrics, value, pass: (ms: number) => (now += ms) }
}

describe('metrics', () => {
  it('times a question to its keeping, its first text and its end', async () => {
    const { metrics, value, pass } = setUp()
    const question = metrics.at('grpc').question()
    pass(3)
    question.kept()
    pass(300)
    question.text()
    pass(1_000)
    question.text()
    pass(1_500)
    question.ended('done')
    expect(await value('aside_handling_seconds_bucket{le="0.0025",dialect="grpc"}')).toBe(0)
    expect(await value('aside_handling_seconds_bucket{le="0.005",dialect="grpc"}')).toBe(1)
    expect(await value('aside_first_text_seconds_sum{dialect="grpc"}')).toBeCloseTo(0.303)
    expect(await value('aside_first_text_seconds_count{dialect="grpc"}')).toBe(1)
    expect(await value('aside_answer_seconds_sum{dialect="grpc"}')).toBeCloseTo(2.803)
    expect(await value('aside_questions_total{dialect="grpc",outcome="done"}')).toBe(1)
  })

  it('gives a connection back once, however often it ends', async () => {
    const { metrics, value } = setUp()
    const [first, second] = [metrics.at('erp').connected(), metrics.at('erp').connected()]
    first()
    first()
    expect(await value('aside_connections{dialect="erp"}')).toBe(1)
    second()
    expect(await value('aside_connections{dialect="erp"}')).toBe(0)
  })

  it('adds up attempts: tokens, cost and outcome by provider and model', async () => {
    const { metrics, value } = setUp()
    const attempt = { provider: 'openai', model: 'm', outcome: 'answered', firstTextMs: 120, inputTokens: 10, outputTokens: 4, costMicros: 17 }
    metrics.attempt(attempt)
    metrics.attempt({ ...attempt, outcome: 'failed', firstTextMs: null, outputTokens: 0, costMicros: 3 })
    expect(await value('aside_cost_micro_usd_total{provider="openai",model="m"}')).toBe(20)
    expect(await value('aside_tokens_total{provider="openai",model="m",direction="in"}')).toBe(20)
    expect(await value('aside_provider_attempts_total{provider="openai",model="m",outcome="failed"}')).toBe(1)
    expect(await value('aside_provider_first_text_seconds_count{provider="openai"}')).toBe(1)
  })

  it('shows breakers and queue as they are when it is asked, and forgets providers that have gone', async () => {
    const { metrics, value } = setUp()
    const provider = { id: 'a', model: 'm', ready: false, breaker: 'open', inFlight: 2 }
    metrics.watch(async () => ({ liveTurns: 1, queueDepth: 7, isDraining: false, providers: [provider] }))
    expect(await value('aside_queue_depth')).toBe(7)
    expect(await value('aside_breaker_state{provider="a",model="m"}')).toBe(2)
    metrics.watch(async () => ({ liveTurns: 0, queueDepth: 0, isDraining: true, providers: [] }))
    expect(await value('aside_breaker_state{provider="a",model="m"}')).toBeUndefined()
    expect(await value('aside_draining')).toBe(1)
  })

  it('keeps the number of series bounded when upstreams make up names', async () => {
    const { metrics } = setUp()
    for (let index = 0; index < 1_000; index += 1) {
      metrics.attempt({ provider: 'x', model: `m-${index}`, outcome: 'failed', firstTextMs: 1, inputTokens: 1, outputTokens: 1, costMicros: 1 })
    }
    const { text } = await metrics.render(never)
    expect(text.match(/^aside_cost_micro_usd_total/gm)).toHaveLength(65)
    expect(text).toContain('aside_cost_micro_usd_total{provider="x",model="other"} 936')
  })

  it('counts for the alerts only what is ours or an upstream’s fault', async () => {
    const { metrics, pass } = setUp()
    for (const [dialect, outcome, ms] of [
      ['grpc', 'done', 100],
      ['erp', 'unavailable', 3_000],
      ['rest', 'cancelled', 0],
      ['rest', 'rate_limited', 0],
      ['desk', 'internal', 500_000]
    ] as const) {
      const question = metrics.at(dialect).question()
      pass(ms)
      question.ended(outcome)
    }
    const { ended, broken, totalSeconds } = await metrics.totals()
    expect({ ended, broken }).toEqual({ ended: 5, broken: 2 })
    expect(totalSeconds.find(({ le }) => le === 4)?.count).toBe(4)
    expect(totalSeconds.at(-1)).toEqual({ le: Number.POSITIVE_INFINITY, count: 5 })
  })

  it('counts faults of Redis, and turns that were taken up', async () => {
    const { metrics, value } = setUp()
    metrics.redisFault('connection')
    metrics.redisFault('command')
    metrics.redisFault('command')
    metrics.takenUp(3)
    expect(await value('aside_redis_errors_total{kind="connection"}')).toBe(1)
    expect(await value('aside_redis_errors_total{kind="command"}')).toBe(2)
    expect(await value('aside_turns_taken_up_total')).toBe(3)
  })

  it('has the process’s own figures', async () => {
    const { text } = await setUp().metrics.render(never)
    for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes', 'process_cpu_seconds_total'])
      expect(text).toContain(`\n${name} `)
  })

  it('costs a few microseconds a question', () => {
    const { metrics } = setUp()
    const meter = metrics.at('rest')
    const startedAt = performance.now()
    for (let index = 0; index < 20_000; index += 1) {
      const end = meter.connected()
      meter.message()
      const question = meter.question()
      question.kept()
      question.text()
      question.ended('done')
      end()
    }
    // Bounded widely, for a machine under load; the figure is in ADR 0038.
    expect((performance.now() - startedAt) / 20_000).toBeLessThan(0.2)
  })
})

describe('names', () => {
  it('go on being told apart once they are known', () => {
    const name = boundedNames(2)
    expect(['a', 'b', 'c', 'a', 'b'].map(name)).toEqual(['a', 'b', 'other', 'a', 'b'])
  })

  it('of dialects and outcomes are closed lists', () => {
    expect(new Set(dialects).size).toBe(dialects.length)
    expect(['done', 'cancelled', 'forbidden'].map(isBroken)).toEqual([false, false, false])
    expect(['internal', 'unavailable', 'timeout'].map(isBroken)).toEqual([true, true, true])
  })
})
