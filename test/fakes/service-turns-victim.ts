// A process that answers turns on a shared Redis until it is killed: node service-turns-victim.ts URL, then on its input lines of
// JSON, each a question. It says `ready`, and `open <turn id>` when one is durable.
import { createInterface } from 'node:readline'
import { questionSchema } from '../../src/shared/turn.ts'
import { startTurns, wordsAgent } from './service-turns.ts'

const [url = ''] = process.argv.slice(2)
const { broker } = await startTurns(url, wordsAgent())
process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const question = questionSchema.parse(JSON.parse(line))
  await broker.open({ userId: 'anna', role: 'user', expiresAt: null }, question)
  process.stdout.write(`open ${question.turnId}\n`)
}
