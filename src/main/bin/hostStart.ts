// Starts the host without windows when none runs, and waits until its door is open.
import { spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CopilotError } from '../../shared/errors.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { Config } from '../config.ts'
import { ensureDataDir } from '../dataDir.ts'
import { connectToHost, type HostConnection } from '../endpoint/client.ts'

/** How to run the app on this machine: real Electron or what stands in for it. `args` go before the app's folder. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface HostStart {
  readonly config: Config
  readonly launch: Launch
  /** The folder of the app. */
  readonly appDir: string
  readonly limitMs: number
}

const LOOK_EVERY_MS = 50
/** A host that ends well at once has found another one that is just starting: that one gets this long. */
const OTHER_HOST_MS = 5_000

/**
 * Builds the app if need be and finds its Electron, with the checkout's own tools, loaded only now: asking a running Aside
 * needs none of them. @param say what a person should know of how it runs here @throws CopilotError `unavailable`
 */
export async function prepareLaunch(say: (line: string) => void): Promise<Launch> {
  const { ensureBuilt } = await import('../../../tools/run/build.ts')
  const { electronSwitches, resolveElectron, surroundings } = await import('../../../tools/run/electron.ts')
  try {
    await ensureBuilt()
    const choice = await resolveElectron()
    const { switches, notices } = electronSwitches(choice.kind, surroundings())
    for (const line of [choice.notice, ...notices]) if (line !== null) say(line)
    return { command: choice.executable, args: switches, env: choice.env }
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'SetupError') throw error
    throw new CopilotError('unavailable', `Aside is not running and can’t be started here: ${error.message}`, { cause: error })
  }
}

/** The host goes on when this process ends. @throws CopilotError `unavailable` with what it said and what to do. */
export async function startHost({ config, launch, appDir, limitMs }: HostStart): Promise<HostConnection> {
  const { dataDir, environment, token } = config
  ensureDataDir(dataDir)
  const logFile = join(dataDir, 'host.log')
  const log = await open(logFile, 'w', 0o600)
  const { ELECTRON_RUN_AS_NODE: _asNode, ...inherited } = environment
  const child = spawn(launch.command, [...launch.args, appDir, '--no-windows', '--exit-when-idle'], {
    cwd: appDir,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...inherited, ...launch.env, ASIDE_DATA_DIR: dataDir, ...(token === null ? {} : { ASIDE_TOKEN: token }) }
  })
  child.unref()
  let deadline = performance.now() + limitMs
  let end: string | null = null
  const ended = (how: string, patienceMs: number): void => {
    end = how
    deadline = Math.min(deadline, performance.now() + patienceMs)
  }
  child.once('error', (error) => ended(error.message, 0))
  child.once('exit', (code, signal) => ended(`it ended with ${code ?? signal}`, code === 0 ? OTHER_HOST_MS : 0))
  try {
    while (performance.now() < deadline) {
      const connection = await connectToHost(dataDir)
      if (connection !== null) return connection
      await sleep(LOOK_EVERY_MS)
    }
  } finally {
    await log.close()
  }
  throw new CopilotError('unavailable', await whyNot(end, logFile, limitMs))
}

async function whyNot(end: string | null, logFile: string, limitMs: number): Promise<string> {
  if (end === null) return `Aside did not start within ${Math.round(limitMs / 1_000)} seconds. What it said is in ${logFile}.`
  const said = (await readFile(logFile, 'utf8')).trim().split('\n').at(-1) ?? ''
  const why = said === '' ? end : cleanText(said).replace(/^Aside could not start: /, '')
  return `Aside could not be started: ${why} (all it said is in ${logFile}).`
}
