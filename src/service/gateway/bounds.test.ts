// What a connection may do before it is told to wait, and before it is ended; and how many there may be.
import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../../test/fakes/service-parts.ts'
import { toSocketError } from './foreignErrors.ts'
import { defaultBounds } from './bounds.ts'
import { createConduct } from './conduct.ts'
import { createPlaces } from './places.ts'
import { sayThenClose } from './sayThenClose.ts'
import { CopilotError } from '../../shared/errors.ts'

const anna = { userId: 'anna', role: 'user', expiresAt: null }

describe('conduct', () => {
  it('takes a burst, then as many a second, and says how long to wait', () => {
    const clock = fakeClock()
    const conduct = createConduct({ ...defaultBounds, burst: 3, perSecond: 2 }, clock)
    for (let n = 0; n < 3; n += 1) conduct.message()
    expect(() => conduct.message()).toThrow(expect.objectContaining({ code: 'rate_limited', retryAfterMs: 500 }))
    clock.set(clock.now() + 500)
    conduct.message()
    expect(() => conduct.message()).toThrow('faster')
    clock.set(clock.now() + 3_600_000)
    for (let n = 0; n < 3; n += 1) conduct.message()
    expect(() => conduct.message()).toThrow('faster')
    // A clock that is set back costs nobody their turn.
    clock.set(clock.now() - 3_600_000)
    expect(() => conduct.message()).toThrow(expect.objectContaining({ retryAfterMs: 500 }))
  })

  it('loses patience with refusals in a row only', () => {
    const conduct = createConduct({ ...defaultBounds, refusalsInARow: 2 }, fakeClock())
    expect(conduct.refused()).toBe(false)
    conduct.accepted()
    expect([conduct.refused(), conduct.refused()]).toEqual([false, true])
  })
})

describe('places', () => {
  it('are limited for each person and for all, and given back once', () => {
    const places = createPlaces({ connectionsPerUser: 2, connections: 3 })
    const leave = places.enter(anna)
    places.enter(anna)
    expect(() => places.enter(anna)).toThrow(expect.objectContaining({ code: 'rate_limited' }))
    places.enter({ ...anna, userId: 'bob' })
    expect(() => places.enter({ ...anna, userId: 'eve' })).toThrow(expect.objectContaining({ code: 'rate_limited' }))
    leave()
    leave()
    expect(places.taken).toBe(2)
    places.enter({ ...anna, userId: 'eve' })
  })
})

describe('sayThenClose', () => {
  it('says why before it closes the raw connection, and nothing to one that has gone', () => {
    const said: unknown[] = []
    const socket = (connected: boolean) => ({
      connected,
      emit: (...args: unknown[]) => said.push(args) > 0,
      disconnect: (close?: boolean) => void said.push(['disconnect', close])
    })
    const error = toSocketError(new CopilotError('rate_limited', 'Slow down.'), { correlationId: 'c' })
    sayThenClose(socket(true) as never, error)
    expect(said).toEqual([
      ['error', error],
      ['disconnect', true]
    ])
    sayThenClose(socket(false) as never, error)
    expect(said).toHaveLength(2)
  })
})
