// A ledger's report as the fake bridge answers it: a repeatable year of meetings, weekends quiet.
import type { UsageGroup, UsageRange, UsageReport, UsageTotals } from '../../src/shared/domain.ts'

const DAY = 86_400_000
const clients = ['Nordhavn Insurance', 'Meridian Bank', 'Halvorsen Retail', 'Orbis Logistics', 'Castellan Health']
const sessions = [
  'Claims platform: database options',
  'Landing zone, second workshop',
  'Storage and compute spend',
  'Five years of weekly calls',
  'Findings before the audit',
  'Mainframe exit: what moves first'
]
const models: readonly (readonly [provider: string, model: string, microsPerTurn: number])[] = [
  ['openai-compatible', 'gpt-4.1-mini', 5_200],
  ['ollama', 'llama3.2', 0],
  ['local', 'knowledge-bm25', 0]
]

/** mulberry32: the same figures at every run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

function none(): UsageTotals {
  return { turns: 0, failed: 0, inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicros: 0, failovers: 0 }
}

export function fakeUsage(range: UsageRange, empty: boolean): UsageReport {
  const groups = {
    byDay: new Map<string, UsageTotals>(),
    byClient: new Map<string, UsageTotals>(),
    bySession: new Map<string, UsageTotals>(),
    byModel: new Map<string, UsageTotals>(),
    byProvider: new Map<string, UsageTotals>()
  }
  const totals = none()
  const errors = new Map<string, number>()
  const end = empty ? range.from : range.to
  for (let at = range.from + DAY / 2; at < end; at += DAY) {
    const date = new Date(at)
    const next = random(Math.floor(at / DAY))
    const busy = date.getDay() === 0 || date.getDay() === 6 ? 0.08 : 0.4 + next()
    const key = `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`
    for (let turn = 0; turn < Math.round(busy * 24); turn += 1) {
      const [provider, model, micros] = models[next() < 0.62 ? 0 : next() < 0.5 ? 1 : 2] ?? models[0] ?? ['', '', 0]
      const failed = next() < 0.012
      const one: UsageTotals = {
        turns: 1, failed: failed ? 1 : 0, inputTokens: 500 + Math.floor(next() * 2_400), outputTokens: failed ? 0 : 120 + Math.floor(next() * 700), cachedTokens: next() < 0.3 ? 400 : 0,
        costMicros: failed ? 0 : Math.round(micros * (0.4 + next())), failovers: next() < 0.008 ? 1 : 0
      } // prettier-ignore
      if (failed) errors.set(next() < 0.6 ? 'timeout' : 'rate_limited', (errors.get(next() < 0.6 ? 'timeout' : 'rate_limited') ?? 0) + 1)
      const keys = {
        byDay: key,
        byClient: clients[Math.floor(next() ** 1.6 * clients.length)] ?? '',
        bySession: sessions[Math.floor(next() ** 1.4 * sessions.length)] ?? '',
        byModel: model,
        byProvider: provider
      }
      add(totals, one)
      for (const name of Object.keys(keys) as (keyof typeof keys)[]) {
        const into = groups[name].get(keys[name]) ?? none()
        add(into, one)
        groups[name].set(keys[name], into)
      }
    }
  }
  return {
    range,
    totals,
    firstTextMs: empty ? null : { p50: 412, p95: 1_180, p99: 2_640 },
    totalMs: empty ? null : { p50: 3_240, p95: 8_900, p99: 14_300 },
    byDay: list(groups.byDay),
    byClient: list(groups.byClient),
    bySession: list(groups.bySession),
    byModel: list(groups.byModel),
    byProvider: list(groups.byProvider),
    byError: [...errors].map(([code, count]) => ({ code, count }))
  }
}

function list(map: ReadonlyMap<string, UsageTotals>): UsageGroup[] {
  return [...map].map(([key, value]) => ({ key, label: key, totals: value }))
}

function add(into: UsageTotals, one: UsageTotals): void {
  for (const name of Object.keys(into) as (keyof UsageTotals)[]) into[name] += one[name]
}
