// What the conversations happen in: services started as the programs they ship as, tokens of theirs, and curl.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { v7 as uuidv7 } from 'uuid'
import { issueToken } from '../../src/service/auth/issuer.ts'
import { signingKeys } from '../../src/service/auth/keys.ts'
import { root, startProgram, type ServiceProgram } from '../fakes/service-running.ts'
import { badTokens } from '../fakes/service-tokens.ts'

export interface StartedService {
  readonly http: string
  readonly grpc: string
  token(userId?: string, ttlMs?: number, role?: string): Promise<string>
  badTokens(): Promise<Readonly<Record<string, string>>>
  /** The address of its HTTP server changes with it. */
  restart(): Promise<void>
}

export interface World extends AsyncDisposable {
  /** Starts a service; it ends with the world. */
  start(environment?: Readonly<Record<string, string>>): Promise<StartedService>
}

export function createWorld(): World {
  const ending: (() => Promise<void>)[] = []
  return {
    async start(environment = {}) {
      const folder = await mkdtemp(join(tmpdir(), 'aside-conformance-'))
      const settings = { ASIDE_DATA_DIR: folder, ASIDE_RESOURCES_DIR: `${root}resources`, ...environment }
      let program = await begin(settings)
      const dataDir = join(folder, 'service')
      ending.push(async () => {
        await program[Symbol.asyncDispose]()
        await rm(folder, { recursive: true, force: true })
      })
      return {
        get http() {
          return program.ready?.http ?? ''
        },
        get grpc() {
          return program.ready?.grpc ?? ''
        },
        token: async (userId = 'anna', ttlMs = 600_000, role = 'user') =>
          await issueToken(await signingKeys(dataDir), { userId, role, ttlMs, now: Date.now(), tokenId: uuidv7() }),
        badTokens: () => badTokens(dataDir),
        async restart() {
          program.child.kill('SIGTERM')
          await program.exited
          program = await begin(settings)
        }
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(ending.map((end) => end()))
    }
  }
}

async function begin(settings: Readonly<Record<string, string>>): Promise<ServiceProgram> {
  const program = await startProgram(settings)
  if (program.ready === null) throw new Error(`the service did not start: ${program.output.stderr.slice(-1_000)}`)
  return program
}

export interface CurlAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  json(): Record<string, unknown>
}

export interface CurlRequest {
  readonly method?: string
  readonly token?: string
  /** Text goes as it is, everything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export async function curl(url: string, { method, token, body, headers = {} }: CurlRequest = {}): Promise<CurlAnswer> {
  const sent: Record<string, string> = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json', expect: '' }),
    ...headers
  }
  const args = ['-sS', '-N', '-i', '--http1.1', '--max-time', '30', '-X', method ?? (body === undefined ? 'GET' : 'POST')]
  for (const [name, value] of Object.entries(sent)) args.push('-H', `${name}: ${value}`)
  // By standard input: a command line is too short for what is too long.
  if (body !== undefined) args.push('--data-binary', '@-')
  const running = promisify(execFile)('curl', [...args, url], { maxBuffer: 64 * 1_048_576 })
  running.child.stdin?.on('error', () => undefined)
  running.child.stdin?.end(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body))
  const { stdout } = await running
  const [head = '', ...rest] = stdout.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const text = rest.join('\r\n\r\n')
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(
      lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])
    ),
    text,
    json: () => JSON.parse(text) as Record<string, unknown>
  }
}
