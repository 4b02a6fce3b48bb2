// A process that accepts questions as fast as it can and says each that was acknowledged, until it is killed.
// Arguments: the data folder. Prints `ready`, then one turn id a line.
import { openHistory } from '../../src/main/history/history.worker.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'
import { newQuestion, newSession } from './historySamples.ts'

const dataDir = process.argv[2] ?? ''
const { history } = await openHistory({ dataDir, key: new Uint8Array(32).fill(7), clock: systemClock })
if ((await history.session('s1')) === null) await history.createSession(newSession('s1'))
process.stdout.write('ready\n')

async function acceptOne(n: number): Promise<void> {
  const { message } = await history.accept({ question: newQuestion(n, `question ${n}`), messageId: `q${n}`, at: Date.now() })
  process.stdout.write(`${message.turnId}\n`)
}
await Promise.all(Array.from({ length: 200 }, (_, n) => acceptOne(n + 1)))
await history.close()
