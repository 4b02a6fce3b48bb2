import { describe, expect, it } from 'vitest'
import type { Delta } from '../shared/bridge.ts'
import { CopilotError } from '../shared/errors.ts'
import { createJobs } from './jobs.ts'

function setUp() {
  const deltas: Delta[] = []
  let ids = 0
  let at = 0
  const jobs = createJobs({ newId: () => `job-${++ids}`, publish: (delta) => deltas.push(delta), now: () => at })
  const states = () => deltas.flatMap((delta) => (delta.slice === 'job' ? [delta.value.state] : []))
  return { jobs, deltas, states, pass: (ms: number) => (at += ms) }
}

describe('jobs', () => {
  it('shows a job from its begin to its end', async () => {
    const { jobs, states } = setUp()
    await expect(jobs.run('export', 'Exporting', async () => 7)).resolves.toBe(7)
    expect(states()).toEqual(['running', 'done'])
    expect(jobs.list()).toHaveLength(1)
  })

  it('tells progress at most every 100 ms', async () => {
    const { jobs, deltas, pass } = setUp()
    await jobs.run('import', 'Reading', async ({ progress }) => {
      for (let done = 1; done <= 10; done += 1) {
        pass(30)
        progress(done, 10)
      }
    })
    expect(deltas.flatMap((delta) => (delta.slice === 'job' ? [delta.value.done] : []))).toEqual([0, 4, 8, 10])
  })

  it('stops one that the person cancels, and says so', async () => {
    const { jobs, states } = setUp()
    const run = jobs.run(
      'import',
      'Reading',
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new CopilotError('cancelled', 'Stopped.'))))
    )
    jobs.cancel('job-1')
    await expect(run).rejects.toMatchObject({ code: 'cancelled' })
    expect(states()).toEqual(['running', 'cancelled'])
  })

  it('keeps the reason of a failure until it is dismissed', async () => {
    const { jobs, deltas } = setUp()
    await expect(jobs.run('backup', 'Copying', () => Promise.reject(new CopilotError('unavailable', 'The disk is full.')))).rejects.toThrow('full')
    expect(jobs.list()[0]?.error?.message).toBe('The disk is full.')
    jobs.dismiss('job-1')
    expect(jobs.list()).toEqual([])
    expect(deltas.at(-1)).toEqual({ slice: 'job-removed', id: 'job-1' })
  })

  it('does not cancel what must not be torn', async () => {
    const { jobs } = setUp()
    let end = (): void => undefined
    const run = jobs.run('rekey', 'Encrypting again', () => new Promise<void>((resolve) => (end = resolve)), { cancellable: false })
    expect(() => jobs.cancel('job-1')).toThrow('no longer')
    end()
    await run
  })
})
