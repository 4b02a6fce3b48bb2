// The whole service for tests: inside this process with providers of the test's choice, or as the program it ships as.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { v7 as uuidv7 } from 'uuid'
import { issueToken } from '../../src/service/auth/issuer.ts'
import { signingKeys } from '../../src/service/auth/keys.ts'
import { startService, type RunningService } from '../../src/service/compose.ts'
import type { Logger } from '../../src/service/logging.ts'
import type { Bounds } from '../../src/service/gateway/bounds.ts'
import { readConfig, type Environment } from '../../src/service/config.ts'
import { modelFacts } from '../../src/service/providers/models.ts'
import type { Provider, ProviderRequest } from '../../src/service/providers/provider.ts'
import { AICopilotClient, type StreamRequest, type StreamResponse } from '../../src/shared/wire/gen/ai.ts'
import { keptLog, tempFolder, type KeptLog } from './service-parts.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** A provider whose answer a test writes: waits for each piece until it is told. */
export interface ToldProvider extends Provider {
  readonly asked: readonly ProviderRequest[]
  /** Signals of the calls, in order. */
  readonly signals: readonly AbortSignal[]
  say(text: string): void
  finish(): void
  fail(error: Error): void
}

export function toldProvider(): ToldProvider {
  const asked: ProviderRequest[] = []
  const signals: AbortSignal[] = []
  let script: (string | Error | null)[] = []
  let wake = (): void => undefined
  /** Once it has failed it stays so, whoever asks it to go on, until it is told something new. */
  let down: Error | null = null
  const add = (step: string | Error | null): void => {
    down = null
    script.push(step)
    wake()
  }
  return {
    id: 'told',
    name: 'Told',
    kind: 'model',
    asked,
    signals,
    ready: () => Promise.resolve(true),
    model: () => 'told-1',
    profile: () => ({ ...modelFacts('told-1'), model: 'told-1', priceKey: null, timeouts: { firstTextMs: 30_000, betweenTextMs: 30_000 } }),
    probe: () => Promise.resolve(),
    say: add,
    finish: () => add(null),
    fail: add,
    async *stream(request, signal) {
      asked.push(request)
      signals.push(signal)
      for (;;) {
        const step = script.shift()
        if (step === undefined && down !== null) throw down
        if (step === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve
            signal.addEventListener('abort', () => resolve(), { once: true })
          })
          signal.throwIfAborted()
        } else if (step === null) {
          script = []
          yield { type: 'usage', inputTokens: 5, outputTokens: 2, cachedTokens: 0 }
          yield { type: 'finish', reason: 'stop' }
          return
        } else if (typeof step === 'string') yield { type: 'text', text: step }
        else {
          down = step
          throw step
        }
      }
    }
  }
}

export interface ServiceHere extends AsyncDisposable {
  readonly service: RunningService
  readonly dataDir: string
  readonly logger: KeptLog
  token(userId?: string, ttlMs?: number, role?: string): Promise<string>
}

export interface HereOptions {
  readonly dataDir?: string
  readonly providers?: readonly Provider[]
  readonly environment?: Environment
  readonly bounds?: Partial<Bounds>
  /** Instead of one that keeps its lines. */
  readonly logger?: Logger
}

export async function startHere({ dataDir, providers, environment = {}, bounds, logger: chosen }: HereOptions = {}): Promise<ServiceHere> {
  const folder = dataDir === undefined ? await tempFolder() : null
  const config = readConfig({
    PORT: '0',
    AI_SERVICE_PORT: '0',
    ASIDE_FIND_OLLAMA: '0',
    AI_DRAIN_TIMEOUT: '2s',
    ASIDE_RESOURCES_DIR: `${root}test/fixtures`,
    ASIDE_DATA_DIR: dataDir ?? folder?.path,
    ...environment
  })
  const logger = keptLog()
  const service = await startService({
    config,
    logger: chosen ?? logger,
    ...(providers === undefined ? {} : { providers }),
    ...(bounds === undefined ? {} : { bounds })
  })
  return {
    service,
    dataDir: config.dataDir,
    logger,
    token: async (userId = 'anna', ttlMs = 60_000, role = 'user') =>
      await issueToken(await signingKeys(config.keysDir), { userId, role, ttlMs, now: Date.now(), tokenId: uuidv7() }),
    async [Symbol.asyncDispose]() {
      await service.stop()
      await folder?.[Symbol.asyncDispose]()
    }
  }
}

export interface Spoken {
  readonly pieces: readonly StreamResponse[]
  /** Null: the call ended well. */
  readonly error: ServiceError | null
  readonly headers: Metadata
}

export interface GrpcClient extends AsyncDisposable {
  readonly client: AICopilotClient
  readonly metadata: Metadata
  /** One StreamChat, to its end; `onPiece` may cancel it. */
  stream(request: Partial<StreamRequest>, onPiece?: (piece: StreamResponse, cancel: () => void) => void): Promise<Spoken>
}

export function grpcClient(address: string, token?: string): GrpcClient {
  const client = new AICopilotClient(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  const metadata = new Metadata()
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
  return {
    client,
    metadata,
    stream(request, onPiece) {
      const call = client.streamChat(
        { message: '', context: {}, userId: '', turnId: '', sessionId: '', afterSeq: 0, quickAction: '', ...request },
        metadata
      )
      const pieces: StreamResponse[] = []
      let headers = new Metadata()
      call.on('metadata', (received: Metadata) => (headers = received))
      call.on('data', (piece: StreamResponse) => {
        pieces.push(piece)
        onPiece?.(piece, () => call.cancel())
      })
      return new Promise((resolve) => {
        call.on('error', (error: ServiceError) => resolve({ pieces, error, headers }))
        call.on('end', () => resolve({ pieces, error: null, headers }))
      })
    },
    async [Symbol.asyncDispose]() {
      client.close()
    }
  }
}

export interface ServiceProgram extends AsyncDisposable {
  readonly child: ChildProcess
  /** The ready line, or null when it ended without one. */
  readonly ready: { readonly grpc: string; readonly http: string } | null
  /** Everything it has written. */
  readonly output: { stdout: string; stderr: string }
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

export const serveCommand: readonly [string, ...string[]] = [process.execPath, `${root}src/service/bin/serve.ts`]

/** Starts the service as a program and waits until it is ready or has ended. */
export async function startProgram(environment: Environment, command: readonly [string, ...string[]] = serveCommand): Promise<ServiceProgram> {
  const [program, ...args] = command
  const child = spawn(program, args, {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PORT: '0',
      AI_SERVICE_PORT: '0',
      ASIDE_FIND_OLLAMA: '0',
      AI_DRAIN_TIMEOUT: '2s',
      ASIDE_RESOURCES_DIR: `${root}test/fixtures`,
      ...environment
    },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const exited = once(child, 'close').then(([code, signal]: unknown[]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }))
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exited.then(() => null)])
  return {
    child,
    ready: line === null ? null : (JSON.parse(String(line[0])) as { grpc: string; http: string }),
    output,
    exited,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
    }
  }
}
