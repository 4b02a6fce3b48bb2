// The ledger's contract on every adapter, and what only a durable one promises: a killed process loses no micro-dollar.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { createMemoryLedger } from '../../src/service/cost/ledger.memory.ts'
import { createPostgresLedger } from '../../src/service/cost/ledger.postgres.ts'
import { createSqliteLedger } from '../../src/service/cost/ledger.sqlite.ts'
import { openStore } from '../../src/service/store/store.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'
import { tempFolder, tempStore } from '../fakes/service-parts.ts'
import { usePostgres } from '../fakes/service-postgres.ts'
import { ledgerContract } from './ledger.ts'
import { aReservation, aSettlement, now } from './ledgerSamples.ts'

describe('ledger in memory', () => {
  ledgerContract(async () => ({ ledger: createMemoryLedger(), [Symbol.asyncDispose]: () => Promise.resolve() }))
})

describe('ledger in SQLite', () => {
  ledgerContract(async () => {
    const temp = await tempStore()
    return { ledger: createSqliteLedger(temp.store), [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose]() }
  })

  it('counts nothing twice when another write of the same commit fails, and none of the one that fails', async () => {
    await using temp = await tempStore()
    const ledger = createSqliteLedger(temp.store)
    await ledger.reserve(aReservation('old', { predictedMicros: 40 }))
    const told = await Promise.allSettled([
      ledger.reserve(aReservation('a', { predictedMicros: 100 })),
      ledger.settle(aSettlement('old', { costMicros: 7 })),
      temp.store.writer.write(() => temp.store.database.exec('INSERT INTO nowhere VALUES (1)')),
      ledger.reserve(aReservation('b', { predictedMicros: 0.5 })),
      ledger.reserve(aReservation('c', { predictedMicros: 10 })),
      ledger.settle(aSettlement('c', { costMicros: 3 }))
    ])
    expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected', 'fulfilled', 'fulfilled'])
    expect(await ledger.spending({ organisation: 'north', client: null }, '2026-11')).toEqual({ spentMicros: 10, reservedMicros: 100 })
    expect(await ledger.total()).toMatchObject({ rows: 3, open: 1, costMicros: 10 })
  })

  it('settles what an earlier process has reserved', async () => {
    await using temp = await tempStore()
    await createSqliteLedger(temp.store).reserve(aReservation('a', { predictedMicros: 100 }))
    const ledger = createSqliteLedger(await temp.reopen())
    expect(await ledger.settle(aSettlement('a', { costMicros: 30 }))).toBe(true)
    expect(await ledger.spending({ organisation: 'north', client: null }, '2026-11')).toEqual({ spentMicros: 30, reservedMicros: 0 })
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

describe('ledger in PostgreSQL', () => {
  const { shared } = usePostgres()
  ledgerContract(
    async () => {
      const database = await shared()
      return { ledger: createPostgresLedger(database.postgres), [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
    },
    { histories: 12 }
  )

  it('passes no cap and settles once, however many services ask at once', async () => {
    await using database = await shared()
    const ledgers = [createPostgresLedger(database.postgres), createPostgresLedger(await database.join('two'))] as const
    const cap = { organisation: 'north', client: null, micros: 1_000 }
    const ask = (id: number) => ledgers[id % 2 === 0 ? 0 : 1].reserve(aReservation(`a${id}`, { predictedMicros: 100 }), [cap])
    const taken = await Promise.all(Array.from({ length: 60 }, (_, id) => ask(id)))
    expect(taken.filter(Boolean)).toHaveLength(10)
    const same = await Promise.all(
      Array.from({ length: 20 }, (_, id) => ledgers[id % 2 === 0 ? 0 : 1].reserve(aReservation('again', { organisation: 'south' })))
    )
    expect(same.every(Boolean)).toBe(true)
    const settled = await Promise.all(
      Array.from({ length: 20 }, (_, id) => ledgers[id % 2 === 0 ? 0 : 1].settle(aSettlement('again', { costMicros: 40 + id })))
    )
    expect(settled.filter(Boolean)).toHaveLength(1)
    expect(await ledgers[1].spending(cap, '2026-11')).toEqual({ spentMicros: 0, reservedMicros: 1_000 })
    const south = await ledgers[1].spending({ organisation: 'south', client: null }, '2026-11')
    expect(south.reservedMicros).toBe(0)
    expect(south.spentMicros).toBe((await ledgers[0].attempts(aReservation('again').turnId)).at(-1)?.settled?.costMicros)
  })

  it('counts as lost what a service left open that has died, and nothing of one that lives', async () => {
    await using database = await shared()
    const one = createPostgresLedger(database.postgres)
    const two = createPostgresLedger(await database.join('two'))
    await one.reserve(aReservation('of one'))
    await two.reserve(aReservation('of two'))
    expect(await one.reclaim(now)).toBe(0)
    await database.silence('two')
    expect(await one.reclaim(now)).toBe(1)
    expect(await one.total()).toMatchObject({ rows: 2, open: 1, costMicros: 100 })
    // The same instance after a crash: its own.
    expect(await one.recover(now)).toBe(1)
  })
})
