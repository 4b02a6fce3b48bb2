// The service under the fuzzer: a process of its own, so that its memory and handles can be measured, with a model that answers at
// once and bounds that let a flood in. It counts every bug that its log tells of.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setLogger } from '@grpc/grpc-js'
import { startService } from '../../src/service/compose.ts'
import { readConfig } from '../../src/service/config.ts'
import type { Logger } from '../../src/service/logging.ts'
import type { Provider } from '../../src/service/providers/provider.ts'
import { toldProvider } from '../fakes/service-running.ts'

/** What is asked of this process, and what it says of itself. */
export interface Measured {
  readonly heapBytes: number
  /** Its servers and sockets. Timers come and go; pipes are to this process. */
  readonly handles: readonly string[]
  readonly bugs: readonly string[]
}
export interface Ready {
  readonly grpc: string
  readonly http: string
}

const ENOUGH_BUGS = 20
const bugs: string[] = []
const quiet = (): void => undefined
const logger: Logger = {
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: (fields, event) => void (bugs.length < ENOUGH_BUGS && bugs.push(`${event} ${JSON.stringify(fields)}`))
}
setLogger({ error: quiet, info: quiet, debug: quiet })
process.on('unhandledRejection', (error) => bugs.push(`unhandled ${String(error)}`))

/** Like a told one, but it has its answer at hand, and reads however much it is given. */
const told = toldProvider()
const provider: Provider = {
  ...told,
  profile: () => ({ ...told.profile(), contextWindow: 100_000_000 }),
  async *stream() {
    yield { type: 'text', text: 'ok' }
    yield { type: 'usage', inputTokens: 1, outputTokens: 1, cachedTokens: 0 }
    yield { type: 'finish', reason: 'stop' }
  }
}

// The flood is the point here: no rate holds it back.
const most = '1000000'
const limitsFile = join(process.env['ASIDE_DATA_DIR'] ?? '.', 'limits.json')
const plenty = { turnsPerDay: null, requestsPerMinute: 1_000_000, burst: 1_000_000, tokensPerHour: 1_000_000_000 }
await writeFile(limitsFile, JSON.stringify({ tiers: { ENTERPRISE: plenty } }))
const config = readConfig({
  ...process.env,
  AI_LIMITS_FILE: limitsFile,
  AI_RATE_LIMIT_REQUESTS_PER_MINUTE: most,
  AI_RATE_LIMIT_MESSAGES_PER_MINUTE: most,
  AI_RATE_LIMIT_SERVICE_PER_MINUTE: most,
  AI_RATE_LIMIT_STREAMS_PER_USER: '10000'
})
const many = 1_000_000_000
const bounds = { burst: many, perSecond: many, refusalsInARow: many, connectionsPerUser: many, connections: many }
const service = await startService({ config, logger, providers: [provider], bounds })
process.send?.({ grpc: service.grpc, http: service.http } satisfies Ready)

// A fuzzer that was cut off takes its service with it.
process.on('disconnect', () => process.exit(1))
process.on('message', (asked) => {
  if (asked === 'stop') void service.stop().then(() => process.exit(0))
  if (asked !== 'measure') return
  // Twice: what the first collection finalises, the second one frees.
  globalThis.gc?.()
  setTimeout(() => {
    globalThis.gc?.()
    const handles = process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'))
    const { heapUsed, external } = process.memoryUsage()
    process.send?.({ heapBytes: heapUsed + external, handles, bugs: bugs.splice(0) } satisfies Measured)
  }, 50)
})
