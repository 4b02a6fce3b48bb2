// npm run --silent chaos:outbox -- --cycles 1000 [--seed N] [--folder F]
// Kills the desktop core and the service with SIGKILL, cuts and restores the network, and reads from the stores whether a
// question was lost, doubled or passed by another. Progress on stderr; the last line on stdout is the JSON report.
import { parseArgs } from 'node:util'
import type { Sabotage } from './kit/coreTalk.ts'
import { runOutboxChaos } from './outboxRun.ts'

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    folder: { type: 'string' },
    /** A planted mistake, to see the run fail: early-accept or twice. */
    sabotage: { type: 'string', default: 'none' }
  }
})
const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed)
const progress = (line: string): void => void process.stderr.write(`${line}\n`)
progress(`chaos:outbox, seed ${seed}`)
const report = await runOutboxChaos({
  cycles: Number(values.cycles),
  seed,
  sabotage: values.sabotage as Sabotage,
  progress,
  ...(values.folder === undefined ? {} : { folder: values.folder })
})
process.stdout.write(`${JSON.stringify({ bench: 'chaos:outbox', ...report })}\n`)
process.exit(report.ok ? 0 : 1)
