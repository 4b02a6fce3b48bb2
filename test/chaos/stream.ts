// npm run --silent chaos:stream -- --cycles 300 [--seed N] [--folder F]
// Cuts answers in mid-stream and switches transports, and compares what is stored with the uncut answers. Progress on
// stderr; the last line on stdout is the JSON report.
import { parseArgs } from 'node:util'
import { runStreamChaos } from './streamRun.ts'

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '300' },
    seed: { type: 'string' },
    folder: { type: 'string' },
    /** Changes the stored texts before they are compared, to see the run fail. */
    sabotage: { type: 'string', default: 'none' }
  }
})
const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed)
const progress = (line: string): void => void process.stderr.write(`${line}\n`)
progress(`chaos:stream, seed ${seed}`)
const report = await runStreamChaos({
  cycles: Number(values.cycles),
  seed,
  sabotage: values.sabotage === 'broken-text' ? 'broken-text' : 'none',
  progress,
  folder: values.folder
})
process.stdout.write(`${JSON.stringify({ bench: 'chaos:stream', ...report })}\n`)
process.exit(report.ok ? 0 : 1)
