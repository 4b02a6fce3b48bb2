// Nothing is purged that was not chosen and confirmed.
import { expect, it } from 'vitest'
import { isConfirmed, purgeScopeOf } from './purgeScope.ts'

it('has no scope while nothing is chosen, nor for a date that is none', () => {
  expect(purgeScopeOf({ clientName: '', sessionId: '', before: null })).toBeNull()
  expect(purgeScopeOf({ clientName: '', sessionId: '', before: Number.NaN })).toBeNull()
})

it('takes what was chosen and nothing else', () => {
  expect(purgeScopeOf({ clientName: 'Orbis', sessionId: '', before: 5 })).toEqual({ clientName: 'Orbis', before: 5 })
})

it('is confirmed by the very count or name', () => {
  expect([isConfirmed('12,345', '12345'), isConfirmed('12 345', '12345'), isConfirmed('1234', '12345')]).toEqual([true, true, false])
  expect([isConfirmed(' Orbis ', 'Orbis'), isConfirmed('orbis', 'Orbis'), isConfirmed('', 'Orbis'), isConfirmed('', '')]).toEqual([
    true,
    false,
    false,
    false
  ])
})
