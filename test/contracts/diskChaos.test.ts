// `chaos:disk` itself, with few cases: that it works, and that it can fail.
import { expect, it, vi } from 'vitest'
import { runDisk } from '../chaos/disk.ts'

vi.setConfig({ testTimeout: 120_000 })

it('ends every trouble of the disk in a clear message, with nothing lost', async () => {
  const report = await runDisk({ flips: 3, seed: 7, everyStep: 9 })
  // Only root may mount the small disk; the command itself insists on it.
  expect(report.problems.filter((problem) => !problem.includes('could not be mounted'))).toEqual([])
  expect([report.lost, report.unclear]).toEqual([0, 0])
})

it('tells of messages that are not there', async () => {
  const report = await runDisk({ flips: 1, seed: 7, everyStep: 1_000, sabotage: true })
  expect(report.ok).toBe(false)
  expect(report.lost).toBeGreaterThan(100)
})
