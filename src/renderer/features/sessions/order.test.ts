// The rail finds a session by what a person remembers of it.
import { expect, it } from 'vitest'
import type { Session } from '../../../shared/domain.ts'
import { groupSessions, matchesFilter } from './order.ts'

function session(id: string, change: Partial<Session>): Session {
  return {
    id, title: id, clientName: '', meetingType: '', projectContext: '', serviceTypes: [], cloudProviders: [], customFields: {}, notes: '', status: 'active', pinned: false,
    createdAt: 0, updatedAt: 0, lastActivityAt: 0, expiresAt: null, messageCount: 0, ...change
  } // prettier-ignore
}

it('matches the beginning of any word, without accents or case', () => {
  const found = session('a', { title: 'Landing zone review', clientName: 'Crédit Régional' })
  expect(matchesFilter(found, 'rev credit')).toBe(true)
  expect(matchesFilter(found, 'CRÉD')).toBe(true)
  expect(matchesFilter(found, 'anding')).toBe(false)
  expect(matchesFilter(found, '')).toBe(true)
})

it('puts pinned sessions apart, newest activity first, and leaves out the archived', () => {
  const all = [
    session('old', { lastActivityAt: 1 }),
    session('new', { lastActivityAt: 2 }),
    session('pin', { pinned: true }),
    session('gone', { status: 'archived' })
  ]
  const { pinned, recent } = groupSessions(all, '', 'active')
  expect(pinned.map((s) => s.id)).toEqual(['pin'])
  expect(recent.map((s) => s.id)).toEqual(['new', 'old'])
  expect(groupSessions(all, '', 'archived').recent.map((s) => s.id)).toEqual(['gone'])
})
