// npm run --silent chaos:outbox -- --cycles 1000 [--seed N] [--folder F]
// Kills the desktop core and the service with SIGKILL, cuts and restores the network, and reads from the stores whether a
// question was lost, doubled or passed by another. Progress on stderr; the last line on stdout is the JSON report.
// --sabotage early-accept|twice plants a mistake in the core, to see the run fail.
import { readFlags } from './kit/flags.ts'
import { runOutboxChaos } from './outboxRun.ts'

const flags = readFlags(1_000, ['early-accept', 'twice'])
const progress = (line: string): void => void process.stderr.write(`${line}\n`)
progress(`chaos:outbox, seed ${flags.seed}`)
const report = await runOutboxChaos({ ...flags, progress })
process.stdout.write(`${JSON.stringify({ bench: 'chaos:outbox', ...report })}\n`)
process.exit(report.ok ? 0 : 1)
