// `npm run --silent ask -- "question"`: asks the running Aside, or starts it without windows. The wiring only; what it
// does is in askCommand.ts.
import { fileURLToPath } from 'node:url'
import { v7 as uuidv7 } from 'uuid'
import { CopilotError } from '../../shared/errors.ts'
import { platformDataDir, readConfig, type Config } from '../config.ts'
import { connectToHost } from '../endpoint/client.ts'
import { EXIT, runAsk } from './askCommand.ts'
import { prepareLaunch, startHost } from './hostStart.ts'

/** A cold machine unpacks and starts Electron in a few seconds; a first build is not counted. */
const START_LIMIT_MS = 60_000
/** Far above the longest question; what is longer is refused without reading on. */
const MAX_INPUT_BYTES = 1_000_000

const appDir = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '')

async function main(): Promise<number> {
  let config: Config
  try {
    config = readConfig({ defaultDataDir: platformDataDir('Aside') })
  } catch (error) {
    if (!(error instanceof CopilotError)) throw error
    process.stderr.write(`${error.message}\n`)
    return EXIT.usage
  }
  // A reader that has had enough (`| head`) is no fault of ours; there is nobody left to tell.
  process.stdout.on('error', () => process.exit(EXIT.failed))
  for (const warning of config.warnings) process.stderr.write(`${warning}\n`)
  return runAsk({
    argv: process.argv.slice(2),
    service: config.service,
    newId: uuidv7,
    connect: () => connectToHost(config.dataDir),
    start: async () => startHost({ config, launch: await prepareLaunch(note), appDir, limitMs: START_LIMIT_MS }),
    readInput,
    out: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
    note: (text) => void process.stderr.write(text),
    onInterrupt
  })
}

const note = (line: string): void => void process.stderr.write(`${line}\n`)

async function readInput(): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    size += part.length
    if (size > MAX_INPUT_BYTES)
      throw new CopilotError('invalid_request', `The question on standard input is longer than ${MAX_INPUT_BYTES.toLocaleString('en')} bytes.`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** The first Ctrl-C stops the turn and lets it say so; the second ends the command at once. */
function onInterrupt(task: () => void): () => void {
  const once = (): void => {
    task()
    process.once('SIGINT', atOnce)
  }
  const atOnce = (): never => process.exit(130)
  process.once('SIGINT', once)
  return () => {
    process.off('SIGINT', once)
    process.off('SIGINT', atOnce)
  }
}

process.exitCode = await main()
