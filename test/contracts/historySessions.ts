// The contract of the history port: sessions.
import { describe, expect, it } from 'vitest'
import { answered, HOUR, newSession, START, turnIdOf } from '../fakes/historySamples.ts'
import type { HistoryHarness } from './historyHarness.ts'

export function sessionsContract(of: HistoryHarness): void {
  describe('sessions', () => {
    it('gives a session back as it was made', async () => {
      expect(await of.history.session('s1')).toEqual(newSession('s1'))
      expect(await of.history.session('none')).toBeNull()
    })

    it('refuses a second session with the same id', async () => {
      await expect(of.history.createSession(newSession('s1'))).rejects.toMatchObject({ code: 'conflict' })
    })

    it('changes only what the change names', async () => {
      const changed = await of.history.updateSession('s1', { details: { clientName: 'Globex', cloudProviders: ['gcp'] }, pinned: true }, START + 5)
      expect(changed).toEqual(newSession('s1', { clientName: 'Globex', cloudProviders: ['gcp'], pinned: true, updatedAt: START + 5 }))
      expect(await of.history.session('s1')).toEqual(changed)
      await expect(of.history.updateSession('none', {}, START)).rejects.toMatchObject({ code: 'not_found' })
    })

    it('lists pinned ones first, then the latest activity, and finds by title and client without accents or case', async () => {
      await of.history.createSession(newSession('s2', { title: 'Überblick', lastActivityAt: START + 10 }))
      await of.history.createSession(newSession('s3', { clientName: 'Café Société', lastActivityAt: START + 5, pinned: true }))
      await of.history.createSession(newSession('s4', { status: 'archived', lastActivityAt: START + 20 }))
      const ids = async (filter: object): Promise<string[]> => (await of.history.listSessions({ limit: 10, ...filter })).map((session) => session.id)
      expect(await ids({})).toEqual(['s3', 's4', 's2', 's1'])
      expect(await ids({ status: 'active' })).toEqual(['s3', 's2', 's1'])
      expect(await ids({ limit: 2 })).toEqual(['s3', 's4'])
      expect(await ids({ text: 'uber' })).toEqual(['s2'])
      expect(await ids({ text: ' CAFE soc' })).toEqual(['s3'])
      expect(await ids({ text: "%_'" })).toEqual([])
    })

    it('removes a session with everything in it but the ledger', async () => {
      await of.accept(1, 'What does a landing zone cost?')
      await of.history.saveEvents(turnIdOf(1), answered(1, 'A landing zone costs little.'))
      await of.accept(2, 'Waiting landing')
      await of.history.removeSession('s1')
      expect(await of.history.session('s1')).toBeNull()
      expect(await of.history.message('q1')).toBeNull()
      expect(await of.history.message('a1')).toBeNull()
      expect(await of.history.outbox()).toEqual([])
      expect(await of.find('landing')).toEqual([])
      const report = await of.history.usage({ from: 0, to: START + HOUR })
      expect(report.bySession).toMatchObject([{ key: 's1', label: 'Meeting s1', totals: { turns: 1, costMicros: 321 } }])
      await expect(of.history.removeSession('s1')).rejects.toMatchObject({ code: 'not_found' })
      await expect(of.history.saveEvents(turnIdOf(2), answered(2, 'late'))).rejects.toMatchObject({ code: 'not_found' })
    })
  })
}
