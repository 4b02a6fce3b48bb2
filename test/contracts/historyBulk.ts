// The part of the history's contract about taking it out and bringing it in.
import { expect, it } from 'vitest'
import { packRecords, type HistoryRecord } from '../../src/main/history/records.ts'
import { answered, eventsOf, newSession, START, turnIdOf, usage, type HandClock } from '../fakes/historySamples.ts'
import { exportLines, importLines, recordsOf } from '../fakes/historyTransfer.ts'
import type { HistoryUnderTest } from './history.ts'
import type { HistoryHarness } from './historyHarness.ts'

const RANGE = { from: 0, to: Number.MAX_SAFE_INTEGER }
const ids = (lines: readonly string[], kind: HistoryRecord['kind']): string =>
  recordsOf(lines)
    .filter((record) => record.kind === kind)
    .map((record) => ('id' in record ? record.id : record.turnId))
    .join(' ')

export function bulkContract(harness: HistoryHarness, open: (clock: HandClock) => Promise<HistoryUnderTest>): void {
  const { accept, find } = harness

  /** Two sessions: answered, failed, cancelled, waiting, half answered, edited after it had failed. */
  async function fill(): Promise<void> {
    const { history } = harness
    await accept(1, 'What does a NAT gateway cost?\u0000\u202e')
    await history.saveEvents(turnIdOf(1), answered(1, 'Ünïcode 👩‍💻 and <script>alert(1)</script>'))
    await accept(2, 'Second question')
    await history.saveEvents(turnIdOf(2), eventsOf(2, [{ type: 'failed', error: { code: 'refused', message: 'No.', details: { why: 'policy' } } }]))
    await accept(3, 'Third question')
    await history.changeOutbox(turnIdOf(3), { state: 'cancelled' })
    await history.createSession(newSession('s2', { clientName: 'Northwind', title: 'Другой', pinned: true, expiresAt: START + 5 }))
    await accept(4, 'Waits', { sessionId: 's2' })
    await accept(5, 'Half', { sessionId: 's2', quickAction: 'cost' })
    await history.saveEvents(
      turnIdOf(5),
      eventsOf(5, [
        { type: 'accepted', messageId: 'a5' },
        { type: 'delta', text: 'so far' }
      ])
    )
    await accept(6, 'Was wrong', { sessionId: 's2' })
    await history.saveEvents(
      turnIdOf(6),
      eventsOf(6, [
        { type: 'accepted', messageId: 'a6' },
        { type: 'delta', text: 'begun' },
        { type: 'citation', n: 1, title: 'VPC', source: 'AWS', url: 'https://example.org' },
        { type: 'usage', ...usage },
        { type: 'failed', error: { code: 'internal', message: 'Broke.' } }
      ])
    )
    await history.editQuestion('q6', { text: 'Is right', turnId: turnIdOf(7), at: START + 9 })
    await history.saveEvents(turnIdOf(7), answered(7, 'Yes'))
  }

  async function fresh<T>(use: (under: HistoryUnderTest) => Promise<T>): Promise<T> {
    const other = await open(harness.clock)
    try {
      return await use(other)
    } finally {
      await other.close()
    }
  }

  it('exports every session with its turns and messages in order, and the ledger at the end', async () => {
    await fill()
    const lines = await exportLines(harness.history)
    expect(
      recordsOf(lines)
        .map(({ kind }) => kind.charAt(0))
        .join('')
    ).toBe('stmmtmtmstmtmmtmtmmuuuu')
    expect(ids(lines, 'message')).toBe('q1 a1 q2 q3 q4 q5 a5 q6 a6 a7')
  })

  it('exports only what lies in the scope', async () => {
    await fill()
    await accept(8, 'Much later', {}, START + 1_000)
    const { history } = harness
    expect(ids(await exportLines(history, { sessionId: 's1' }), 'session')).toBe('s1')
    expect(ids(await exportLines(history, { clientName: 'Northwind' }), 'usage')).toBe([6, 7].map(turnIdOf).join(' '))
    const late = await exportLines(history, { from: START + 1_000, to: START + 1_000 })
    expect([ids(late, 'session'), ids(late, 'turn'), ids(late, 'message')]).toEqual(['s1', turnIdOf(8), 'q8'])
    expect(await history.exportSize({ clientName: 'Northwind' })).toBe(6)
  })

  it('is the same export again after an import into another history', async () => {
    await fill()
    const lines = await exportLines(harness.history)
    await fresh(async ({ history }) => {
      expect(await importLines(history, lines)).toEqual({ sessions: 2, messages: 10 })
      expect(await exportLines(history)).toEqual(lines)
      expect((await history.session('s2'))?.messageCount).toBe(6)
      expect((await history.usage(RANGE)).totals).toMatchObject({ turns: 4, costMicros: 2 * usage.costMicros + usage.costMicros })
      const page = await history.page({ sessionId: 's1', limit: 10 })
      expect(page.messages.map(({ id, delivery, answer }) => [id, delivery?.state ?? answer?.state])).toEqual([
        ['q1', 'settled'],
        ['a1', 'done'],
        ['q2', 'failed'],
        ['q3', 'cancelled']
      ])
    })
  })

  it('sends nothing that was imported, and still lets a person send it', async () => {
    await fill()
    const lines = await exportLines(harness.history)
    await fresh(async ({ history }) => {
      await importLines(history, lines)
      expect(await history.waitingCount()).toBe(0)
      expect((await history.outbox()).filter(({ state }) => state !== 'failed')).toEqual([])
      await history.editQuestion('q4', { text: 'Waits', turnId: turnIdOf(40), at: START })
      expect(await history.waitingCount()).toBe(1)
    })
  })

  it('finds what was imported by its words', async () => {
    const lines = await fresh(async ({ history }) => {
      await history.createSession(newSession('x1'))
      await history.accept({
        question: { turnId: turnIdOf(50), sessionId: 'x1', text: 'Peering across regions', context: {} },
        messageId: 'm50',
        at: START
      })
      return exportLines(history)
    })
    await importLines(harness.history, lines)
    expect(await find('peering region')).toEqual(['m50'])
  })

  it('shows nothing of an import before it has ended, and nothing of one that was dropped', async () => {
    const { history } = harness
    const records = recordsOf(
      await fresh(async (other) => {
        await other.history.createSession(newSession('x1', { clientName: 'Hidden' }))
        await other.history.accept({ question: { turnId: turnIdOf(50), sessionId: 'x1', text: 'Secret', context: {} }, messageId: 'm50', at: START })
        await other.history.saveEvents(turnIdOf(50), eventsOf(50, [{ type: 'failed', error: { code: 'refused', message: 'No.' } }]))
        return exportLines(other.history)
      })
    )
    const before = await exportLines(history)
    await history.beginImport()
    await history.importRecords(packRecords(records))
    const nothingSeen = async (): Promise<void> => {
      expect(await history.session('x1')).toBeNull()
      expect((await history.listSessions({ limit: 10 })).map(({ id }) => id)).toEqual(['s1'])
      expect(await find('secret')).toEqual([])
      expect((await history.usage(RANGE)).totals.turns).toBe(0)
      expect(await history.outbox()).toEqual([])
      expect(await history.knownSessions(['x1', 's1'])).toEqual(['s1'])
      expect(await exportLines(history)).toEqual(before)
      await expect(history.page({ sessionId: 'x1', limit: 5 })).rejects.toMatchObject({ code: 'not_found' })
    }
    await nothingSeen()
    await expect(history.beginImport()).rejects.toMatchObject({ code: 'conflict' })
    await history.dropImport()
    await nothingSeen()
    await expect(history.importRecords(packRecords(records))).rejects.toMatchObject({ code: 'conflict' })
    await history.beginImport()
    await history.importRecords(packRecords(records))
    expect(await history.finishImport()).toEqual({ sessions: 1, messages: 1 })
    expect((await history.session('x1'))?.clientName).toBe('Hidden')
  })

  it('adds nothing when the same is imported twice, and leaves a known session as it is', async () => {
    await fill()
    const { history } = harness
    const lines = await exportLines(history)
    await history.updateSession('s1', { details: { title: 'Renamed here' } }, START)
    expect(await importLines(history, lines)).toEqual({ sessions: 0, messages: 0 })
    expect((await history.session('s1'))?.title).toBe('Renamed here')
    expect((await history.usage(RANGE)).totals.turns).toBe(4)
    expect(await history.knownSessions(['s1', 's2', 's3'])).toEqual(['s1', 's2'])
  })

  it('accepts and answers questions while an import is under way', async () => {
    const { history } = harness
    await history.beginImport()
    await accept(1, 'Live question')
    await history.saveEvents(turnIdOf(1), answered(1, 'Live answer'))
    expect(await find('live')).toEqual(['q1', 'a1'].toSorted())
    await history.finishImport()
    expect((await harness.pageOf({})).ids).toBe('q1 a1')
  })
}
