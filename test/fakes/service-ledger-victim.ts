// Reserves and settles as fast as it can and says what is durable, until it is killed: node service-ledger-victim.ts FOLDER
import { createSqliteLedger } from '../../src/service/cost/ledger.sqlite.ts'
import { openStore } from '../../src/service/store/store.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'
import { aReservation, aSettlement } from '../contracts/ledgerSamples.ts'

const ledger = createSqliteLedger(await openStore({ dataDir: process.argv[2] ?? '', clock: systemClock }))

async function turns(worker: number): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const id = `${worker}-${turn}`
    const costMicros = (worker * 7 + turn * 13) % 500
    await ledger.reserve(aReservation(id))
    process.stdout.write(`reserved ${id}\n`)
    await ledger.settle(aSettlement(id, { costMicros }))
    process.stdout.write(`settled ${id} ${costMicros}\n`)
  }
}

await Promise.all(Array.from({ length: 20 }, (_, worker) => turns(worker)))
