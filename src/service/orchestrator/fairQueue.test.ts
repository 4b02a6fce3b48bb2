// Who is served next, for any crowd; and that nobody is forgotten, served twice or served after he has gone.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { never } from '../../../test/fakes/service-parts.ts'
import { systemClock } from '../../shared/kit/clock.ts'
import { createFairQueue, type FairQueue } from './fairQueue.ts'

function desk(places: number, options: { readonly longest?: number; readonly longestWaitMs?: number } = {}) {
  const queue = createFairQueue({ longest: 1_000, longestWaitMs: 60_000, clock: systemClock, ...options })
  let free = places
  const served: string[] = []
  const enter = async (organisation: string, userId: string, name: string, signal: AbortSignal = never): Promise<void> => {
    await queue.enter({
      organisation,
      userId,
      signal,
      take() {
        if (free === 0) return null
        free -= 1
        return name
      },
      onQueued: () => undefined
    })
    served.push(name)
  }
  const leave = async (): Promise<void> => {
    free += 1
    queue.wake()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { queue, served, enter, leave, free: () => free }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('createFairQueue', () => {
  it('lets organisations take turns, then people, and keeps each person in order', async () => {
    const { served, enter, leave } = desk(0)
    const all = [
      ...['1', '2', '3'].map((n) => enter('big', 'ann', `ann${n}`)),
      ...['1', '2'].map((n) => enter('big', 'bob', `bob${n}`)),
      enter('small', 'cid', 'cid1')
    ]
    for (let place = 0; place < 6; place += 1) await leave()
    await Promise.all(all)
    expect(served).toEqual(['ann1', 'cid1', 'bob1', 'ann2', 'bob2', 'ann3'])
  })

  it('serves everybody exactly once, at most one more of one organisation than of another that waits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('north', 'south', 'west'), fc.constantFrom('ann', 'bob')), { minLength: 1, maxLength: 40 }),
        async (crowd) => {
          const { queue, served, enter, leave } = desk(0)
          const names = crowd.map(([organisation, user], index) => `${organisation}/${user}/${index}`)
          const all = crowd.map(([organisation, user], index) => enter(organisation, user, names[index] ?? ''))
          await settle()
          expect(queue.depth).toBe(crowd.length)
          const waiting = new Map<string, number>()
          for (const [organisation] of crowd) waiting.set(organisation, (waiting.get(organisation) ?? 0) + 1)
          const turns = new Map<string, number>([...waiting.keys()].map((organisation) => [organisation, 0]))
          for (let place = 0; place < crowd.length; place += 1) {
            await leave()
            const organisation = served.at(-1)?.split('/')[0] ?? ''
            turns.set(organisation, (turns.get(organisation) ?? 0) + 1)
            waiting.set(organisation, (waiting.get(organisation) ?? 0) - 1)
            const still = [...turns].filter(([name]) => (waiting.get(name) ?? 0) > 0).map(([, count]) => count)
            for (const count of still) expect((turns.get(organisation) ?? 0) - count).toBeLessThanOrEqual(1)
          }
          await Promise.all(all)
          expect(served.toSorted()).toEqual(names.toSorted())
          expect(queue.depth).toBe(0)
          for (const user of ['north/ann', 'south/bob']) {
            const own = served.filter((name) => name.startsWith(user)).map((name) => Number(name.split('/')[2]))
            expect(own).toEqual(own.toSorted((a, b) => a - b))
          }
        }
      ),
      { numRuns: 60 }
    )
  })

  it('lets nobody overtake', async () => {
    const { served, enter, leave } = desk(0)
    const first = enter('north', 'ann', 'first')
    await leave()
    const second = enter('north', 'bob', 'second')
    await first
    await leave()
    await second
    expect(served).toEqual(['first', 'second'])
  })

  it('loses no place when a caller goes while it waits', async () => {
    const { queue, served, enter, leave, free } = desk(0)
    const controller = new AbortController()
    const gone = enter('north', 'ann', 'gone', controller.signal)
    const stays = enter('north', 'bob', 'stays')
    controller.abort()
    // In the same tick: the place must not go to the one who has left.
    void leave()
    await expect(gone).rejects.toMatchObject({ code: 'cancelled' })
    await stays
    expect(served).toEqual(['stays'])
    expect([free(), queue.depth]).toEqual([0, 0])
  })

  it('refuses when it is full and when it takes too long, and says when to come back', async () => {
    const { enter } = desk(0, { longest: 1, longestWaitMs: 30 })
    const waits = enter('north', 'ann', 'waits')
    await expect(enter('north', 'bob', 'too many')).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) })
    await expect(waits).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('passes over one whose place is not free', async () => {
    const queue: FairQueue = createFairQueue({ longest: 10, longestWaitMs: 60_000, clock: systemClock })
    const free = new Set<string>()
    const ask = (userId: string, wanted: string): Promise<string> =>
      queue.enter({ organisation: 'north', userId, signal: never, take: () => (free.delete(wanted) ? wanted : null), onQueued: () => undefined })
    const large = ask('ann', 'large')
    const small = ask('bob', 'small')
    free.add('small')
    queue.wake()
    expect(await small).toBe('small')
    free.add('large')
    queue.wake()
    expect(await large).toBe('large')
  })
})
