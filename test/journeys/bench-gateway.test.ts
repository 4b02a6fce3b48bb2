// bench:gateway itself: it asks, checks every answer, prints its figures last, and does not say `ok` for half a comparison.
import { execFile } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { root } from '../fakes/service-running.ts'

describe('bench:gateway', () => {
  it('measures our service and is not ok without the other side', { timeout: 60_000 }, async () => {
    const args = [`${root}bench/gateway.ts`, '--only', 'aside', '--seconds', '0.3', '--concurrency', '2']
    const { code, stdout } = await new Promise<{ code: number; stdout: string }>((resolve) => {
      execFile(process.execPath, args, { timeout: 50_000 }, (error, out) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout: out })
      )
    })
    expect(code).toBe(1)
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      ok: false,
      isClean: true,
      unaryRatio: null,
      aside: { 'unary@2': { requestsPerSecond: expect.any(Number), failed: 0 }, 'stream@2': { failed: 0 } }
    })
  })
})
