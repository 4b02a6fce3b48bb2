// Decides and executes as fast as it can and says what is durable, until it is killed: node service-actions-victim.ts FOLDER HOST ROUND
import { createHttpBus } from '../../src/service/actions/bus.undici.ts'
import { createSqliteOutbox } from '../../src/service/actions/outbox.sqlite.ts'
import { startActionPump } from '../../src/service/actions/pump.ts'
import { targetsSchema } from '../../src/service/actions/targets.ts'
import { createSqliteWorklist } from '../../src/service/actions/worklist.sqlite.ts'
import { openStore } from '../../src/service/store/store.ts'
import { systemClock as clock } from '../../src/shared/kit/clock.ts'
import { anAction, anInput, anOutput } from './action-target.ts'

const [folder = '', host = '', round = '', ends = ''] = process.argv.slice(2)
const store = await openStore({ dataDir: folder, clock })
const list = createSqliteWorklist(store)
const outbox = createSqliteOutbox(store)
const targets = targetsSchema.parse({ notification: { billing: `http://${host}/hook` }, allowPrivate: [host] })
const fault = (_fields: object, event: string): void => void process.stderr.write(`${event}\n`)
const logger = { debug: () => undefined, info: () => undefined, warn: fault, error: fault }
const audit = { record: () => Promise.resolve() }
const pump = startActionPump({ outbox, bus: createHttpBus({ targets, timeoutMs: 5_000 }), audit, clock, random: Math.random, logger })
process.stdout.write('ready\n')

if (ends === 'drain') {
  while ((await outbox.nextAt()) !== null) await new Promise((resolve) => setTimeout(resolve, 5))
  await pump.stop()
  store.stop()
  process.stdout.write('drained\n')
} else {
  for (let turn = 0; ; turn += 1) {
    const id = `${round}-${turn}`
    await list.accept(anInput({ id }), clock.now())
    await list.decided(anOutput({ id: `${id}:out`, inputId: id, actions: [anAction({ id: `${id}:a0` }), anAction({ id: `${id}:a1` })] }), clock.now())
    process.stdout.write(`decided ${id}\n`)
    pump.wake()
  }
}
