// The contract of the history port: pages, search, the ledger, and text that means harm.
import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { answered, eventsOf, HOUR, newSession, START, turnIdOf, usage } from '../fakes/historySamples.ts'
import type { HistoryHarness } from './historyHarness.ts'

export function readingContract(of: HistoryHarness): void {
  describe('pages', () => {
    beforeEach(async () => {
      await of.history.createSession(newSession('s2'))
      for (let n = 1; n <= 10; n++) {
        await of.accept(n, `question ${n}`)
        await of.accept(100 + n, `elsewhere ${n}`, { sessionId: 's2' })
      }
    })
    it('begins with the last ones', async () => {
      expect(await of.pageOf({})).toEqual({ ids: 'q8 q9 q10', earlier: true, later: false })
      expect(await of.pageOf({ limit: 10 })).toMatchObject({ earlier: false, later: false })
    })

    it('goes back and forth from a position', async () => {
      expect(await of.pageOf({ before: await of.positionOf('q8') })).toEqual({ ids: 'q5 q6 q7', earlier: true, later: true })
      expect(await of.pageOf({ before: await of.positionOf('q3') })).toEqual({ ids: 'q1 q2', earlier: false, later: true })
      expect(await of.pageOf({ after: await of.positionOf('q2') })).toEqual({ ids: 'q3 q4 q5', earlier: true, later: true })
      expect(await of.pageOf({ after: await of.positionOf('q8') })).toEqual({ ids: 'q9 q10', earlier: true, later: false })
      expect(await of.pageOf({ after: await of.positionOf('q10') })).toEqual({ ids: '', earlier: true, later: false })
      expect(await of.pageOf({ before: 0 })).toEqual({ ids: '', earlier: false, later: true })
    })

    it('opens around a message and fills the page at either end', async () => {
      expect(await of.pageOf({ around: 'q5' })).toEqual({ ids: 'q4 q5 q6', earlier: true, later: true })
      expect(await of.pageOf({ around: 'q1' })).toEqual({ ids: 'q1 q2 q3', earlier: false, later: true })
      expect(await of.pageOf({ around: 'q10' })).toEqual({ ids: 'q8 q9 q10', earlier: true, later: false })
      expect(await of.pageOf({ around: 'q5', limit: 1 })).toEqual({ ids: 'q5', earlier: true, later: true })
      expect(await of.pageOf({ around: 'q5', limit: 4 })).toEqual({ ids: 'q3 q4 q5 q6', earlier: true, later: true })
    })

    it('knows no page of what is not there', async () => {
      await expect(of.pageOf({ around: 'q101' })).rejects.toMatchObject({ code: 'not_found' })
      await expect(of.pageOf({ sessionId: 'none' })).rejects.toMatchObject({ code: 'not_found' })
    })
  })

  describe('search', () => {
    beforeEach(async () => {
      await of.history.createSession(newSession('s2', { title: 'Globex kick-off', clientName: 'Globex' }))
      await of.accept(1, 'What does a NAT gateway cost per month?', {}, START)
      await of.accept(2, 'Größenordnung der Kosten für Café-Netzwerke?', {}, START + HOUR)
      await of.accept(3, '東京リージョンの予算はいくらですか', { sessionId: 's2' }, START + 2 * HOUR)
      await of.accept(4, 'Gateway load balancers and the cost of traffic', { sessionId: 's2' }, START + 3 * HOUR)
      await of.history.saveEvents(turnIdOf(1), answered(1, 'About 33 USD for a c5.xlarge; migrations and policies cost extra.'))
    })

    it('finds all terms, in any order and case', async () => {
      expect((await of.find('COST gateway ')).toSorted()).toEqual(['q1', 'q4'])
      expect(await of.find('gateway month ')).toEqual(['q1'])
      expect(await of.find('gateway nonsense')).toEqual([])
    })

    it('finds as one types: the last word is a beginning', async () => {
      expect((await of.find('gat')).toSorted()).toEqual(['q1', 'q4'])
      expect(await of.find('gat ')).toEqual([])
      expect(await of.find('load bal')).toEqual(['q4'])
      for (const typed of ['pol', 'poli', 'policie', 'policies', 'policy', 'migratio', 'migrations']) expect(await of.find(typed)).toEqual(['a1'])
    })

    it('finds phrases in quotes, closed or not', async () => {
      expect(await of.find('"nat gateway"')).toEqual(['q1'])
      expect(await of.find('"gateway nat"')).toEqual([])
      expect(await of.find('“cost of traf')).toEqual(['q4'])
      expect(await of.find('c5.xlarge')).toEqual(['a1'])
    })

    it('finds across accents, case and ß, and inside texts without spaces', async () => {
      expect(await of.find('cafe')).toEqual(['q2'])
      expect(await of.find('GRÖSSENORDNUNG')).toEqual(['q2'])
      expect(await of.find('予算')).toEqual(['q3'])
      expect(await of.find('リージョン いくら')).toEqual(['q3'])
      expect(await of.find('算予')).toEqual([])
    })

    it('filters by session, client, role and date', async () => {
      expect(await of.find('gateway', { sessionId: 's2' })).toEqual(['q4'])
      expect(await of.find('gateway', { clientName: 'Acme' })).toEqual(['q1'])
      expect(await of.find('gateway', { clientName: 'Nobody' })).toEqual([])
      expect(await of.find('cost', { role: 'assistant' })).toEqual(['a1'])
      expect(await of.find('cost', { role: 'user', from: START, to: START + HOUR })).toEqual(['q1'])
      expect(await of.find('cost', { from: START + 3 * HOUR, to: START + 9 * HOUR })).toEqual(['q4'])
    })

    it('shows where it was found, as plain pieces', async () => {
      const { hits } = await of.history.search({ text: 'balancer traf', limit: 5 }, of.never)
      expect(hits).toEqual([
        {
          messageId: 'q4',
          sessionId: 's2',
          sessionTitle: 'Globex kick-off',
          clientName: 'Globex',
          role: 'user',
          createdAt: START + 3 * HOUR,
          snippet: [
            { text: 'Gateway load ', hit: false },
            { text: 'balancers', hit: true },
            { text: ' and the cost of ', hit: false },
            { text: 'traffic', hit: true }
          ]
        }
      ])
    })

    it('says when there is more than was asked for', async () => {
      const { hits, more } = await of.history.search({ text: 'gateway', limit: 1 }, of.never)
      expect([hits.length, more]).toEqual([1, true])
      expect((await of.history.search({ text: 'gateway', limit: 2 }, of.never)).more).toBe(false)
    })

    it('takes anything that can be typed', { timeout: 60_000 }, async () => {
      const odd = [
        '',
        ' ',
        '"',
        '""',
        '*',
        'NOT',
        'AND OR NEAR(',
        'a* "b',
        "';--",
        '{x}:y',
        '^',
        '\u0000',
        '\ud800',
        '<script>',
        'x'.repeat(500),
        '"'.repeat(500),
        'a '.repeat(250)
      ]
      for (const text of odd) expect(await of.find(text)).toBeInstanceOf(Array)
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: fc.constantFrom('a', 'b', '"', '*', '(', ')', '^', ':', '{', '-', '\u0000', '\ud800', '予', '\u0301', ' ') }),
          async (text) => {
            await of.history.search({ text, limit: 3 }, of.never)
          }
        ),
        { numRuns: 60 }
      )
    })

    it('rejects as cancelled when it was given up', async () => {
      await expect(of.history.search({ text: 'gateway', limit: 5 }, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
      const controller = new AbortController()
      const search = of.history.search({ text: 'gateway', limit: 5 }, controller.signal)
      controller.abort()
      await expect(search).rejects.toMatchObject({ code: 'cancelled' })
      expect(await of.find('gateway')).toHaveLength(2)
    })
  })

  describe('the usage ledger', () => {
    const all = { from: 0, to: START + 1000 * HOUR }

    it('adds up what turns cost, by day, client, session, model and provider', async () => {
      await of.history.createSession(newSession('s2', { title: 'Other', clientName: 'Globex' }))
      const error = { code: 'timeout', message: 'Late.' } as const
      for (const n of [1, 2, 3]) await of.accept(n, `question ${n}`, n === 3 ? { sessionId: 's2' } : {})
      await of.history.saveEvents(turnIdOf(1), answered(1, 'one'))
      await of.history.saveEvents(
        turnIdOf(2),
        eventsOf(2, [
          { type: 'accepted', messageId: 'a2' },
          { type: 'usage', ...usage, model: 'big', costMicros: 1000, firstTextMs: 10, totalMs: 4000 },
          { type: 'done', messageId: 'a2', finish: 'stop' }
        ])
      )
      await of.history.saveEvents(turnIdOf(3), eventsOf(3, [{ type: 'failed', error }]))
      const report = await of.history.usage(all)
      expect(report.totals).toEqual({ turns: 3, failed: 1, inputTokens: 240, outputTokens: 90, cachedTokens: 10, costMicros: 1321, failovers: 2 })
      expect(report.firstTextMs).toEqual({ p50: 10, p95: 90, p99: 90 })
      expect(report.totalMs).toEqual({ p50: 400, p95: 4000, p99: 4000 })
      expect(report.byClient.map((group) => [group.key, group.totals.turns])).toEqual([
        ['Acme', 2],
        ['Globex', 1]
      ])
      expect(report.bySession.map((group) => [group.key, group.label, group.totals.costMicros])).toEqual([
        ['s1', 'Meeting s1', 1321],
        ['s2', 'Other', 0]
      ])
      expect(report.byModel.map((group) => [group.key, group.totals.costMicros])).toEqual([
        ['big', 1000],
        ['knowledge', 321],
        ['', 0]
      ])
      expect(report.byProvider.map((group) => group.key)).toEqual(['local', ''])
      expect(report.byDay).toHaveLength(1)
      expect(report.byError).toEqual([{ code: 'timeout', count: 1 }])
      expect((await of.history.usage({ ...all, clientName: 'Globex' })).totals.turns).toBe(1)
      expect((await of.history.usage({ ...all, sessionId: 's1' })).totals.turns).toBe(2)
      expect(await of.history.usage({ from: START + HOUR, to: START + 2 * HOUR })).toMatchObject({
        totals: { turns: 0 },
        firstTextMs: null,
        byDay: []
      })
    })

    it('follows its session as long as there is one', async () => {
      await of.accept(1, 'one')
      await of.history.saveEvents(turnIdOf(1), answered(1, 'one'))
      await of.history.updateSession('s1', { details: { clientName: 'Initech', title: 'Renamed' } }, START)
      await of.history.removeSession('s1')
      const report = await of.history.usage(all)
      expect(report.byClient.map((group) => group.key)).toEqual(['Initech'])
      expect(report.bySession.map((group) => group.label)).toEqual(['Renamed'])
    })
  })

  describe('bad input', () => {
    it('keeps hostile and broken text as harmless text', async () => {
      const texts = [
        '<script>alert(1)</script>',
        "'; DROP TABLE messages; --",
        'nul\u0000inside',
        'half \ud83d surrogate',
        '\u202eright to left',
        'x'.repeat(200_000)
      ]
      for (const [n, text] of texts.entries()) {
        const saved = await of.accept(n + 1, text)
        expect(saved.message.text).toBe(text.toWellFormed())
        expect(await of.accept(n + 1, text)).toMatchObject({ fresh: false })
        const answer = await of.history.saveEvents(turnIdOf(n + 1), answered(n + 1, text))
        expect(answer.message?.text).toBe(text.toWellFormed())
      }
      await of.history.removeSession('s1')
      expect(await of.find('alert')).toEqual([])
    })
  })
}
