// The contract of the history port: drafts, retention, purge, figures.
import { describe, expect, it } from 'vitest'
import { answered, eventsOf, newQuestion, newSession, START, turnIdOf } from '../fakes/historySamples.ts'
import type { HistoryHarness } from './historyHarness.ts'

const DAY = 86_400_000

export function keepingContract(of: HistoryHarness): void {
  describe('unsent text', () => {
    it('is kept by its place, replaced, and forgotten when it is empty', async () => {
      await of.history.keepDraft('s1', { text: 'half a quest\ud800', turnId: null })
      await of.history.keepDraft('overlay', { text: 'what', turnId: turnIdOf(9) })
      await of.history.keepDraft('s1', { text: 'half a question', turnId: null })
      expect(await of.history.drafts()).toEqual({
        s1: { text: 'half a question', turnId: null },
        overlay: { text: 'what', turnId: turnIdOf(9) }
      })
      await of.history.keepDraft('s1', { text: '', turnId: null })
      expect(Object.keys(await of.history.drafts())).toEqual(['overlay'])
    })

    it('goes when its question is accepted, and does not come back from a window that is late', async () => {
      await of.history.keepDraft('s1', { text: 'question one', turnId: turnIdOf(1) })
      await of.history.keepDraft('overlay', { text: 'another', turnId: turnIdOf(2) })
      await of.accept(1, 'question one')
      expect(Object.keys(await of.history.drafts())).toEqual(['overlay'])
      await of.history.keepDraft('s1', { text: 'question one', turnId: turnIdOf(1) })
      expect(Object.keys(await of.history.drafts())).toEqual(['overlay'])
    })
  })

  it('forgets the unsent text of a session that is removed', async () => {
    await of.accept(1, 'asked')
    await of.history.keepDraft('s1', { text: 'half a question', turnId: null })
    await of.history.keepDraft('edit.q1', { text: 'asked better', turnId: null })
    await of.history.keepDraft('overlay', { text: 'stays', turnId: null })
    await of.history.removeSession('s1')
    expect(Object.keys(await of.history.drafts())).toEqual(['overlay'])
  })

  describe('a purge', () => {
    it('takes a session with all that belongs to it, and only that', async () => {
      await of.history.createSession(newSession('s2'))
      await of.accept(1, 'mandrake one')
      await of.history.saveEvents(turnIdOf(1), answered(1, 'mandrake answer'))
      await of.accept(2, 'mandrake waits')
      await of.accept(3, 'mandrake stays', { sessionId: 's2' })
      await of.history.keepDraft('s1', { text: 'mandrake draft', turnId: null })
      await of.history.keepDraft('edit.q2', { text: 'mandrake waits no more', turnId: null })
      expect(await of.history.purgePreview({ sessionId: 's1' })).toEqual({ sessions: 1, messages: 3 })
      expect(await of.history.unendedTurns({ sessionId: 's1' })).toEqual([turnIdOf(2)])
      expect(await of.history.purge({ sessionId: 's1' })).toEqual({ sessions: 1, messages: 3 })
      expect(await of.history.session('s1')).toBeNull()
      expect(await of.history.message('a1')).toBeNull()
      expect(await of.history.question(turnIdOf(2))).toBeNull()
      expect((await of.history.outbox()).map((row) => row.turnId)).toEqual([turnIdOf(3)])
      expect(await of.find('mandrake')).toEqual(['q3'])
      expect(await of.history.drafts()).toEqual({})
      expect(await of.history.purgePreview({ sessionId: 's1' })).toEqual({ sessions: 0, messages: 0 })
    })

    it('takes what was asked before a time with its answers, and leaves a session that went on', async () => {
      await of.accept(1, 'old one')
      of.clock.set(START + 10 * DAY)
      await of.history.saveEvents(turnIdOf(1), answered(1, 'answered much later'))
      await of.accept(2, 'new one')
      await of.history.createSession(newSession('s2', { lastActivityAt: START }))
      expect(await of.history.purgePreview({ before: START + DAY })).toEqual({ sessions: 1, messages: 2 })
      expect(await of.history.purge({ before: START + DAY })).toEqual({ sessions: 1, messages: 2 })
      expect((await of.pageOf({})).ids).toBe('q2')
      expect(await of.history.session('s1')).toMatchObject({ messageCount: 1 })
      expect(await of.history.session('s2')).toBeNull()
    })

    it('takes one client’s messages, also a question that was rewritten', async () => {
      await of.history.createSession(newSession('s2', { clientName: 'Globex' }))
      await of.accept(1, 'first words')
      await of.history.editQuestion('q1', { text: 'second words', turnId: turnIdOf(2), at: START })
      await of.accept(3, 'stays', { sessionId: 's2' })
      expect(await of.history.purge({ clientName: 'Acme' })).toEqual({ sessions: 1, messages: 1 })
      expect(await of.history.status()).toMatchObject({ sessions: 1, messages: 1 })
      await of.history.createSession(newSession('s1'))
      await expect(of.history.accept({ question: newQuestion(2, 'other words'), messageId: 'q9', at: START })).resolves.toMatchObject({ fresh: true })
    })

    it('leaves the usage ledger, without the session’s title', async () => {
      await of.accept(1, 'what did it cost')
      await of.history.saveEvents(turnIdOf(1), answered(1, 'little'))
      await of.history.purge({ sessionId: 's1' })
      const report = await of.history.usage({ from: 0, to: START + DAY })
      expect(report.totals).toMatchObject({ turns: 1, costMicros: 321 })
      expect(report.byClient).toMatchObject([{ label: 'Acme' }])
      expect(JSON.stringify(report)).not.toContain('Meeting s1')
    })

    it('is not hindered by an answer that is on its way, whose events find nothing any more', async () => {
      await of.accept(1, 'live')
      await of.history.saveEvents(turnIdOf(1), answered(1, 'begun').slice(0, 2))
      expect(await of.history.purge({ sessionId: 's1' })).toEqual({ sessions: 1, messages: 2 })
      await expect(of.history.saveEvents(turnIdOf(1), eventsOf(1, [{ type: 'delta', text: 'more' }], 3))).rejects.toMatchObject({ code: 'not_found' })
    })
  })

  describe('retention', () => {
    it('goes by the client’s own rule, else by the one for all others; without a rule everything stays', async () => {
      await of.history.createSession(newSession('s2', { clientName: 'Globex' }))
      await of.history.createSession(newSession('s3', { clientName: 'Initech' }))
      await of.accept(1, 'acme')
      await of.accept(2, 'globex', { sessionId: 's2' })
      await of.accept(3, 'initech', { sessionId: 's3' })
      of.clock.set(START + 40 * DAY)
      expect(await of.history.applyRetention()).toEqual({ sessions: 0, messages: 0 })
      await of.history.setRetention('Acme', 60)
      await of.history.setRetention('', 30)
      await of.history.setRetention('Initech', 90)
      await of.history.setRetention('Initech', null)
      expect((await of.history.status()).retention).toEqual([
        { clientName: '', days: 30 },
        { clientName: 'Acme', days: 60 }
      ])
      expect(await of.history.applyRetention()).toEqual({ sessions: 2, messages: 2 })
      expect((await of.history.outbox()).map((row) => row.messageId)).toEqual(['q1'])
      of.clock.set(START + 61 * DAY)
      expect(await of.history.applyRetention()).toEqual({ sessions: 1, messages: 1 })
    })
  })

  it('knows when it was kept, checked and how much it holds', async () => {
    expect(await of.history.status()).toMatchObject({ sessions: 1, messages: 0, lastBackupAt: null, lastCheckAt: null, retention: [] })
    await of.history.noteEvent('backup', START + 5)
    await of.history.noteEvent('backup', START + 6)
    await of.accept(1, 'one')
    expect(await of.history.status()).toMatchObject({ messages: 1, lastBackupAt: START + 6, lastCheckAt: null })
    expect([await of.history.eventAt('backup'), await of.history.eventAt('snapshot')]).toEqual([START + 6, null])
  })
}
