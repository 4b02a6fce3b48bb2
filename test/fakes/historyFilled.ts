// A history of many messages, made in bulk by the product's own way of importing.
import type { BulkHistory } from '../../src/main/history/bulk.ts'
import { packRecords, type HistoryRecord } from '../../src/main/history/records.ts'
import { newSession, START } from './historySamples.ts'

export interface Filling {
  /** Even: questions and answers. */
  readonly messages: number
  readonly sessions: number
}

const WORDS =
  'cluster region failover latency budget replica gateway subnet policy encryption migration backlog tenant invoice Zürich 東京 café'.split(' ')

/** About 400 characters, the same for the same number; `marker<n>` is in no other. */
function textOf(n: number): string {
  const words = Array.from({ length: 48 }, (_, at) => WORDS[((n * 7 + at * at + (at * n) / 3) % WORDS.length) | 0] ?? '')
  return `marker${n} ${words.join(' ')}`
}

function turnOf(n: number): string {
  return `0193f000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
}

function* records({ messages, sessions }: Filling): Generator<HistoryRecord> {
  const turns = messages / 2
  for (let s = 0; s < sessions; s += 1) {
    const { messageCount: _count, ...session } = newSession(`filled-${s}`, { clientName: `Client ${s % 10}`, title: `Filled ${s}` })
    yield { kind: 'session', ...session }
    for (let n = s; n < turns; n += sessions) yield* exchange(n)
  }
  for (let n = 0; n < turns; n += 1) {
    const s = n % sessions
    const usage = { provider: 'local', model: 'knowledge', inputTokens: 100 + n, outputTokens: 50, cachedTokens: 0, costMicros: n, failovers: 0 }
    const head = { turnId: turnOf(n), sessionId: `filled-${s}`, sessionTitle: `Filled ${s}`, clientName: `Client ${s % 10}` }
    yield { kind: 'usage', ...head, ...usage, firstTextMs: 12.5, totalMs: 300, errorCode: null, at: START + n * 1_000 }
  }
}

function* exchange(n: number): Generator<HistoryRecord> {
  const at = START + n * 1_000
  const turnId = turnOf(n)
  yield {
    kind: 'turn',
    id: turnId,
    state: 'done',
    context: { client: 'Acme' },
    citations: [{ n: 1, title: 'VPC pricing', source: 'AWS', date: '2026-01-01', url: 'https://example.org/vpc' }],
    notices: [],
    usage: null,
    error: null,
    finish: 'stop',
    lastSeq: 9,
    serviceMessageId: `a${n}`,
    startedAt: at,
    firstTextAt: at + 12,
    endedAt: at + 300
  }
  const delivery = { state: 'settled' as const, attempts: 1, acceptedAt: at, confirmedAt: null, error: null }
  yield { kind: 'message', id: `q${n}`, turnId, role: 'user', createdAt: at, quickAction: null, delivery, text: textOf(2 * n) }
  yield { kind: 'message', id: `a${n}`, turnId, role: 'assistant', createdAt: at + 1, quickAction: null, delivery: null, text: textOf(2 * n + 1) }
}

export async function fillHistory(history: BulkHistory, filling: Filling): Promise<void> {
  await history.beginImport()
  let batch: HistoryRecord[] = []
  for (const record of records(filling)) {
    batch.push(record)
    if (batch.length < 1_000) continue
    await history.importRecords(packRecords(batch))
    batch = []
  }
  await history.importRecords(packRecords(batch))
  await history.finishImport()
  while ((await history.indexImported()) > 0);
}
