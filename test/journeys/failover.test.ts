// The failover benchmark itself, small: it meets its bars on the real service, says so, and fails when a bar is missed.
import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { billOf, compareBooks } from '../../bench/failover/books.ts'
import type { Call } from '../../bench/failover/upstreams.ts'
import { createSqliteLedger } from '../../src/service/cost/ledger.sqlite.ts'
import { aReservation, aSettlement } from '../contracts/ledgerSamples.ts'
import { tempStore } from '../fakes/service-parts.ts'
import { root } from '../fakes/service-running.ts'

async function bench(...args: string[]): Promise<{ code: number | null; result: Record<string, unknown> }> {
  const child = spawn(process.execPath, [`${root}bench/failover.ts`, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, result: JSON.parse(output.trim().split('\n').at(-1) ?? '') as Record<string, unknown> }
}

describe('bench:failover', () => {
  it('loses no answer and no micro-dollar, and says no when a bar is missed', { timeout: 60_000 }, async () => {
    // No switch-over takes less than a millisecond, so this bar must be missed; the others must not.
    const { code, result } = await bench('--concurrent', '30', '--turns', '90', '--every', '40', '--most', '1')
    expect(code).toBe(1)
    expect(result).toMatchObject({ ok: false, answered: 90, wrongText: 0, ledger: { exact: true, different: 0, open: 0 } })
    expect((result['switchover'] as { n: number }).n).toBeGreaterThan(5)
  })

  it('finds a single micro-dollar that is wrong', async () => {
    const temp = await tempStore()
    const ledger = createSqliteLedger(temp.store)
    const call: Call = { turn: 1, upstream: 0, promptTokens: 1_001, completionTokens: 7, lastWord: 1, fault: null, abandoned: false }
    const write = async (id: string, costMicros: number): Promise<void> => {
      await ledger.reserve(aReservation(id, { provider: 'upstream-0' }))
      await ledger.settle(aSettlement(id, { inputTokens: 1_001, outputTokens: 7, costMicros }))
    }
    await write('right', billOf(1_001, 7))
    temp.store.stop()
    expect(await compareBooks(temp.path, [call])).toMatchObject({ exact: true, compared: 1 })
    // A call that the ledger does not know, and one that nobody served.
    expect(await compareBooks(temp.path, [call, { ...call, promptTokens: 1_002 }])).toMatchObject({ exact: false, different: 1 })
    expect(await compareBooks(temp.path, [])).toMatchObject({ exact: false, different: 1 })
    expect(await compareBooks(temp.path, [{ ...call, completionTokens: 8 }])).toMatchObject({ exact: false, different: 1 })
    await temp[Symbol.asyncDispose]()
  })
})
