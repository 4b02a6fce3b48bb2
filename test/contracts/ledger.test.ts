// The ledger's contract on every adapter, and what only a durable one promises: a killed process loses no micro-dollar.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { createMemoryLedger } from '../../src/service/cost/ledger.memory.ts'
import { createSqliteLedger } from '../../src/service/cost/ledger.sqlite.ts'
import { openStore } from '../../src/service/store/store.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'
import { tempFolder, tempStore } from '../fakes/service-parts.ts'
import { ledgerContract } from './ledger.ts'
import { now } from './ledgerSamples.ts'

describe('ledger in memory', () => {
  ledgerContract(async () => ({ ledger: createMemoryLedger(), [Symbol.asyncDispose]: () => Promise.resolve() }))
})

describe('ledger in SQLite', () => {
  ledgerContract(async () => {
    const temp = await tempStore()
    return { ledger: createSqliteLedger(temp.store), [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose]() }
  })

  it('is exact after its process was killed at any moment', async () => {
    for (const lines of [40, 200, 201]) {
      await using folder = await tempFolder()
      const child = spawn(process.execPath, [new URL('../fakes/service-ledger-victim.ts', import.meta.url).pathname, folder.path], {
        stdio: ['ignore', 'pipe', 'inherit']
      })
      const exited = once(child, 'close')
      const reserved = new Set<string>()
      const settled = new Map<string, number>()
      for await (const line of createInterface({ input: child.stdout })) {
        const [what, id, micros] = line.split(' ')
        if (what === 'reserved') reserved.add(id ?? '')
        else settled.set(id ?? '', Number(micros))
        if (reserved.size + settled.size === lines) child.kill('SIGKILL')
      }
      await exited
      const store = await openStore({ dataDir: folder.path, clock: systemClock })
      try {
        const ledger = createSqliteLedger(store)
        const before = await ledger.total()
        // What was acknowledged is there; what was under way may be.
        expect(before.rows).toBeGreaterThanOrEqual(reserved.size)
        for (const [id, micros] of settled) expect((await ledger.attempts(`turn of ${id}`))[0]?.settled?.costMicros).toBe(micros)
        const lost = await ledger.recover(now)
        expect(lost).toBe(before.open)
        const after = await ledger.total()
        // The victim predicts 100 for each.
        expect(after).toEqual({ rows: before.rows, open: 0, costMicros: before.costMicros + lost * 100, estimatedRows: lost })
        expect(await ledger.spending({ organisation: 'north', client: null }, '2026-11')).toEqual({
          spentMicros: after.costMicros,
          reservedMicros: 0
        })
      } finally {
        store.stop()
      }
    }
  })
})
