// Tasks that come round: when they are due, what becomes of times that passed while nothing ran.
import { describe, expect, it } from 'vitest'
import { tempStore } from '../../../test/fakes/service-parts.ts'
import { dueRun, nextTime, type ScheduledTask } from './schedule.ts'
import { createSqliteSchedule } from './schedule.sqlite.ts'

const at = (iso: string): number => Date.parse(iso)
const hourly = { cron: '0 * * * *', timezone: 'UTC' }

const aTask = (part: Partial<ScheduledTask> = {}): ScheduledTask => ({
  taskId: 't1', businessId: 'acme', userId: 'anna', name: 'Report', ...hourly, type: 'report', text: 'Report', data: {}, state: 'active',
  nextAt: 1_000, lastAt: null, runs: 0, missed: 0, createdAt: 1, ...part
}) // prettier-ignore

describe('nextTime', () => {
  it('is in the time zone’s own time, across its change of clocks', () => {
    const nine = { cron: '0 9 * * *', timezone: 'Europe/Berlin' }
    expect(nextTime(nine, at('2026-03-28T12:00:00Z'))).toBe(at('2026-03-29T07:00:00Z'))
    expect(nextTime(nine, at('2026-03-27T12:00:00Z'))).toBe(at('2026-03-28T08:00:00Z'))
  })

  it.each([
    ['x', 'UTC'],
    ['99 * * * *', 'UTC'],
    ['* * * * *', 'Mars/Base'],
    ['\u0000', 'UTC'],
    ['', 'UTC']
  ])('refuses %j in %j', (cron, timezone) => {
    expect(() => nextTime({ cron, timezone }, 0)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })
})

describe('dueRun', () => {
  const due = at('2026-05-01T10:00:00Z')
  it('runs on time', () => expect(dueRun(hourly, due, due + 500)).toEqual({ nextAt: at('2026-05-01T11:00:00Z'), missed: 0 }))
  it('makes up once for all times that passed, and says how many', () => {
    expect(dueRun(hourly, due, at('2026-05-01T13:30:00Z'))).toEqual({ nextAt: at('2026-05-01T14:00:00Z'), missed: 4 })
    expect(dueRun(hourly, due, at('2026-05-01T10:30:00Z'))).toEqual({ nextAt: at('2026-05-01T11:00:00Z'), missed: 1 })
  })
  it('counts no further than a thousand', () => expect(dueRun({ ...hourly, cron: '* * * * *' }, due, due + 86_400_000 * 30).missed).toBe(1_000))
})

describe('schedule', () => {
  it('keeps tasks across a restart, lists those of a business, and gives out what is due', async () => {
    await using temp = await tempStore()
    const schedule = createSqliteSchedule(temp.store)
    await schedule.add(aTask())
    await schedule.add(aTask({ taskId: 't2', businessId: 'globex', nextAt: 500 }))
    const again = createSqliteSchedule(await temp.reopen())
    expect(await again.inspect('t1')).toEqual(aTask())
    expect((await again.list('acme', 9)).map(({ taskId }) => taskId)).toEqual(['t1'])
    expect((await again.list(null, 9)).map(({ taskId }) => taskId)).toEqual(['t2', 't1'])
    expect((await again.due(999, 9)).map(({ taskId }) => taskId)).toEqual(['t2'])
    expect(await again.nextAt()).toBe(500)
  })

  it('moves on once from a time, and not at all when it was cancelled', async () => {
    await using temp = await tempStore()
    const schedule = createSqliteSchedule(temp.store)
    await schedule.add(aTask())
    const step = { dueAt: 1_000, nextAt: 2_000, ranAt: 1_001, missed: 2 }
    await schedule.advance('t1', step)
    await schedule.advance('t1', step)
    expect(await schedule.inspect('t1')).toMatchObject({ runs: 1, missed: 2, nextAt: 2_000, lastAt: 1_001 })
    expect(await schedule.cancel('t1')).toBe(true)
    expect(await schedule.cancel('t1')).toBe(false)
    await schedule.advance('t1', { ...step, dueAt: 2_000, nextAt: 3_000 })
    expect(await schedule.inspect('t1')).toMatchObject({ state: 'cancelled', runs: 1, nextAt: null })
    expect(await schedule.due(1e15, 9)).toEqual([])
  })
})
