// Starts the host without windows when none runs, and waits until its door is open.
import { spawn } from 'node:child_process'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { Config } from '../config.ts'
import { connectToHost, type HostConnection } from '../endpoint/client.ts'

/** How to run the app on this machine: real Electron or what stands in for it. */
const launchSchema = z.object({ command: z.string().min(1), args: z.array(z.string()), env: z.record(z.string(), z.string()) })
export type Launch = z.infer<typeof launchSchema>

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

/** The checkout's own tools are found at run time: a packaged app has none and starts itself. @throws CopilotError */
export async function prepareLaunch(appDir: string): Promise<Launch> {
  const tool = async (file: string, name: string): Promise<unknown> => {
    const module: unknown = await import(new URL(`tools/run/${file}.ts`, `file://${appDir}/`).href)
    const found = module instanceof Object && name in module ? (module as Record<string, unknown>)[name] : undefined
    if (typeof found !== 'function') throw new TypeError(`tools/run/${file}.ts has no ${name}()`)
    return (found as () => unknown)()
  }
  await tool('build', 'ensureBuilt')
  return launchSchema.parse(await tool('electron', 'resolveElectron'))
}

/** The host goes on when this process ends. @throws CopilotError `unavailable` with what it said and what to do. */
export async function startHost({ config, launch, appDir, limitMs }: HostStart): Promise<HostConnection> {
  const { dataDir, environment, token } = config
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
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
