// npm run --silent chaos:stream -- --cycles 300 [--seed N] [--folder F]
// Cuts answers in mid-stream and switches transports, and compares what is stored with the uncut answers. Progress on
// stderr; the last line on stdout is the JSON report. --sabotage broken-text changes the stored texts, to see the run fail.
import { readFlags } from './kit/flags.ts'
import { runStreamChaos } from './streamRun.ts'

const flags = readFlags(300, ['broken-text'])
const progress = (line: string): void => void process.stderr.write(`${line}\n`)
progress(`chaos:stream, seed ${flags.seed}`)
const report = await runStreamChaos({ ...flags, progress })
process.stdout.write(`${JSON.stringify({ bench: 'chaos:stream', ...report })}\n`)
process.exit(report.ok ? 0 : 1)
