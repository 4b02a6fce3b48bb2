// Starts the host without windows when none runs, and waits until its door is open.
import { spawn } from 'node:child_process'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { Config } from '../config.ts'
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

const choiceSchema = z.object({
  kind: z.string(),
  executable: z.string().min(1),
  env: z.record(z.string(), z.string()),
  notice: z.string().nullable()
})
const switchesSchema = z.object({ switches: z.array(z.string()), notices: z.array(z.string()) })

/**
 * Builds the app if need be and finds its Electron, with the checkout's own tools. They are found at run time: a packaged
 * app has none of them. @param say what a person should know of how it runs here @throws CopilotError `unavailable`
 */
export async function prepareLaunch(appDir: string, say: (line: string) => void): Promise<Launch> {
  try {
    await call(appDir, 'build', 'ensureBuilt')
    const choice = choiceSchema.parse(await call(appDir, 'electron', 'resolveElectron'))
    const around = await call(appDir, 'electron', 'surroundings')
    const { switches, notices } = switchesSchema.parse(await call(appDir, 'electron', 'electronSwitches', choice.kind, around))
    for (const line of [choice.notice, ...notices]) if (line !== null) say(line)
    return { command: choice.executable, args: switches, env: choice.env }
  } catch (error) {
    // Tools of a checkout speak to whoever works in it: their words are the help.
    throw new CopilotError(
      'unavailable',
      `Aside is not running and can’t be started here: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error }
    )
  }
}

async function call(appDir: string, tool: string, name: string, ...args: readonly unknown[]): Promise<unknown> {
  const module: unknown = await import(pathToFileURL(join(appDir, 'tools', 'run', `${tool}.ts`)).href)
  const found = typeof module === 'object' && module !== null && name in module ? (module as Record<string, unknown>)[name] : undefined
  if (typeof found !== 'function') throw new TypeError(`tools/run/${tool}.ts has no ${name}()`)
  return (found as (...args: readonly unknown[]) => unknown)(...args)
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
