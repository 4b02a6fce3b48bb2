// A Redis of a test's own: Debian's redis-server in a folder of its own, on a free port, gone when the test is, however it ends.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface RedisServer extends AsyncDisposable {
  /** `redis://127.0.0.1:<port>`, with the password when there is one. */
  readonly url: string
  readonly port: number
  /** SIGKILL: what is not on its disk is lost. Resolves when it is gone. */
  kill(): Promise<void>
  /** Again on the same port and folder, after `kill`. */
  start(): Promise<void>
  /** Stands still, connections open, until `resume`. */
  pause(): void
  resume(): void
}

export interface RedisServerOptions {
  /** `always`: what was answered is on the disk. `none` (the default): in memory alone. */
  readonly durability?: 'always' | 'everysec' | 'none'
  readonly password?: string
  /** Further settings, such as `['--maxmemory', '2mb']`. */
  readonly settings?: readonly string[]
}

/** Whether tests that want Redis can run here; `.ci/run` installs it. */
export const hasRedisServer = ((): boolean => {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/**
 * The shell ends Redis and removes its folder when its own input ends: with `stop`, or with this process, killed or not.
 * It says Redis' process id first.
 */
const KEEPER = `folder=$1; shift; redis-server "$@" & child=$!; echo $child; cat > /dev/null; kill -9 $child 2> /dev/null; wait $child 2> /dev/null; rm -rf "$folder"`
const START_WITHIN_MS = 10_000
const ATTEMPTS = 5

export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'aside-redis-'))
  const keepers: ChildProcess[] = []
  let port = await freePort()
  let pid = 0

  const launch = async (): Promise<void> => {
    const keeper = spawn('sh', ['-c', KEEPER, 'sh', folder, ...settingsOf(options, folder, port)], { stdio: ['pipe', 'pipe', 'inherit'] })
    keepers.push(keeper)
    pid = await readiness(keeper)
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      await launch()
      break
    } catch (error) {
      // Somebody else took the port in between.
      if (attempt === ATTEMPTS) throw error
      port = await freePort()
    }
  }

  return {
    port,
    url: `redis://${options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`}127.0.0.1:${port}`,
    async kill() {
      process.kill(pid, 'SIGKILL')
      while (await accepts(port)) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    start: launch,
    pause: () => void process.kill(pid, 'SIGSTOP'),
    resume: () => void process.kill(pid, 'SIGCONT'),
    async [Symbol.asyncDispose]() {
      await Promise.all(
        keepers.map(async (keeper) => {
          const exited = keeper.exitCode === null && keeper.signalCode === null ? once(keeper, 'exit') : Promise.resolve()
          keeper.stdin?.end()
          await exited
        })
      )
      await rm(folder, { recursive: true, force: true })
    }
  }
}

function settingsOf({ durability = 'none', password, settings = [] }: RedisServerOptions, folder: string, port: number): string[] {
  return [
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--dir',
    folder,
    '--save',
    '',
    '--logfile',
    '',
    ...(durability === 'none' ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', durability]),
    ...(password === undefined ? [] : ['--requirepass', password]),
    ...settings
  ]
}

/** Redis' process id, once it takes connections. */
async function readiness(keeper: ChildProcess): Promise<number> {
  if (keeper.stdout === null) throw new Error('redis-server has no output')
  const said: string[] = []
  const timer = setTimeout(() => keeper.stdin?.end(), START_WITHIN_MS)
  try {
    for await (const line of createInterface({ input: keeper.stdout })) {
      said.push(line)
      if (line.includes('Ready to accept connections')) {
        // Nobody reads on, and it must not stand still for that.
        keeper.stdout.resume()
        return Number(said[0])
      }
      if (/# (?:Fatal|Failed|Warning: Could not create|Could not)|FATAL CONFIG/.test(line)) keeper.stdin?.end()
    }
  } finally {
    clearTimeout(timer)
  }
  throw new Error(`redis-server did not start:\n${said.join('\n')}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
