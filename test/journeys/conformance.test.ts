// The conformance command itself: it holds conversations with foreign clients, it can fail, and it says so.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { protocolTable, unshown } from '../conformance/protocolTable.ts'
import { createReport } from '../conformance/report.ts'
import { root } from '../fakes/service-running.ts'

async function conformance(...args: string[]): Promise<{ code: number; last: unknown }> {
  const { stdout, code } = await promisify(execFile)(process.execPath, [
    `${root}test/conformance/run.ts`,
    '--only',
    'dialects',
    '--quick',
    ...args
  ]).then(
    (ended) => ({ ...ended, code: 0 }),
    (error: unknown) => error as { stdout: string; code: number }
  )
  return { code, last: JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null') }
}

describe('conformance', () => {
  it('holds conversations with real clients and ends well', async () => {
    expect(await conformance('--match', '^(webhooks|gRPC: health)')).toEqual({ code: 0, last: { ok: true, conversations: 2, steps: 13, failed: [] } })
  }, 120_000)

  it('misses a line of the protocol page whose step did not run or did not hold', () => {
    const table = [
      { line: 'shown', steps: ['a: one', 'b: two'] },
      { line: 'half shown', steps: ['a: one', 'c: three'] }
    ]
    expect(unshown(['a: one of them', 'b: two'], table)).toEqual(['half shown'])
    expect(unshown([])).toHaveLength(protocolTable.length)
  })

  it('is not well when no step was run', async () => {
    expect(await conformance('--only', 'nobody')).toMatchObject({ code: 1, last: { ok: false, steps: 0 } })
  }, 60_000)

  it('keeps every step that failed, or did not end, and goes on', async () => {
    const report = createReport({ say: () => undefined, stepMs: 20 })
    await report.step('a', 'one', () => undefined)
    await report.step('a', 'two', () => Promise.reject(new Error('broken')))
    await report.step('b', 'three', () => new Promise(() => undefined))
    expect(report.outcome()).toEqual({
      ok: false,
      conversations: 2,
      steps: 3,
      failed: [
        { conversation: 'a', step: 'two', error: 'broken' },
        { conversation: 'b', step: 'three', error: 'not done within 20 ms' }
      ]
    })
  })
})
