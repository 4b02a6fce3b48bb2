import { validate, version } from 'uuid'
import { describe, expect, it } from 'vitest'
import { createIds } from './ids.ts'

describe('ids of the service', () => {
  it('are UUIDs of version 7 that begin with the time', () => {
    const newId = createIds({ clock: { now: () => 0x0123_4567_89ab } })
    const id = newId()
    expect([validate(id), version(id), id.slice(0, 13)]).toEqual([true, 7, '01234567-89ab'])
  })

  it('sort in the order they were made in, also within a millisecond and when the clock is set back', () => {
    let now = 1_700_000_000_000
    const newId = createIds({ clock: { now: () => now } })
    const ids = Array.from({ length: 5_000 }, (_, index) => {
      if (index % 100 === 99) now += index % 300 === 299 ? -7 : 3
      return newId()
    })
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('take randomness of their own from what is drawn for many at once', () => {
    let draws = 0
    let next = 0
    const newId = createIds({
      clock: { now: () => 1_700_000_000_000 },
      fill(bytes) {
        draws += 1
        for (let at = 0; at < bytes.length; at += 16) {
          next += 1
          new DataView(bytes.buffer).setUint32(at + 12, next)
        }
      }
    })
    const tails = Array.from({ length: 600 }, () => Number.parseInt(newId().slice(-8), 16))
    expect(tails).toEqual(Array.from({ length: 600 }, (_, index) => index + 1))
    expect(draws).toBe(3)
  })

  it('of two sources are different ones', () => {
    const clock = { now: () => 1_700_000_000_000 }
    expect(createIds({ clock })()).not.toBe(createIds({ clock })())
  })
})
