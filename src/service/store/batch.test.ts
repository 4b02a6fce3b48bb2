// Steps that are taken together: everybody gets their own result, and only who is at fault fails.
import { describe, expect, it } from 'vitest'
import { CopilotError } from '../../shared/errors.ts'
import { createBatch } from './batch.ts'

describe('batch', () => {
  const setUp = (most = 100) => {
    const steps: (readonly number[])[] = []
    const batch = createBatch<number, number>(async (items) => {
      steps.push(items)
      await Promise.resolve()
      if (items.includes(13)) throw new Error('a bug')
      if (items.includes(99)) throw new CopilotError('unavailable', 'Away.')
      return items.map((item) => item * 2)
    }, most)
    return { steps, batch }
  }

  it('does what comes at once in one step, what comes meanwhile in the next, never more than it may', async () => {
    const { steps, batch } = setUp(3)
    const results = await Promise.all([1, 2, 3, 4].map(async (item) => await batch.add(item).then((result) => batch.add(result))))
    expect(results).toEqual([4, 8, 12, 16])
    expect(steps.every((items) => items.length <= 3)).toBe(true)
    expect(steps[0]).toEqual([1, 2, 3])
    expect(steps.flat()).toHaveLength(8)
    await batch.idle()
  })

  it('lets only the one at fault fail, but tries nothing again that was refused', async () => {
    const { steps, batch } = setUp()
    const results = await Promise.allSettled([1, 13, 2].map((item) => batch.add(item)))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    steps.length = 0
    const refused = await Promise.allSettled([1, 99].map((item) => batch.add(item)))
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(steps).toEqual([[1, 99]])
  })

  it('is idle only when what was asked last is done', async () => {
    const { batch } = setUp()
    let done = 0
    void batch.add(1).then(() => batch.add(2).then(() => (done += 1)))
    await batch.idle()
    await batch.idle()
    expect(done).toBe(1)
  })

  it('says so when a step gives too few results', async () => {
    const batch = createBatch<number, number>(async () => [1], 9)
    const results = await Promise.allSettled([batch.add(1), batch.add(2)])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })
})
