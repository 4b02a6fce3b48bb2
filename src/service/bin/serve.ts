// Runs the AI service: alone (`npm run service`), or as the utility process that the desktop starts. It says once where it
// listens, and in one sentence why it can't.
import { setLogger } from '@grpc/grpc-js'
import { pino } from 'pino'
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import { startService, type RunningService } from '../compose.ts'
import { takeProcessConfig } from '../config.ts'
import { createLogger, errorFields } from '../logging.ts'

/** Electron's `process.parentPort` in a utility process, as far as it is used here. */
interface ParentPort {
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void
  postMessage(message: unknown): void
}

const parentPort = (process as { readonly parentPort?: ParentPort }).parentPort
const logger = createLogger(pino.destination({ fd: 2, sync: true }))
// grpc-js writes plain lines to standard error by itself; there they are events like all others.
const grpcLog = (message: unknown): void => logger.warn({ message: String(message) }, 'grpc.library')
setLogger({ error: grpcLog, info: grpcLog, debug: grpcLog })
const PARENT_WATCH_MS = 250

let service: RunningService | null = null
let stopAsked: string | null = null

function stop(reason: string): void {
  if (stopAsked !== null) return
  stopAsked = reason
  // Asked for while it starts: it stops once it has started.
  if (service !== null) void end(service, reason)
}

async function end(running: RunningService, reason: string): Promise<void> {
  logger.info({ reason }, 'service.stopping')
  try {
    await running.stop()
    logger.info({}, 'service.stopped')
    process.exit(0)
  } catch (error) {
    logger.error(errorFields(error), 'service.stop')
    process.exit(1)
  }
}

function sayWhy(error: unknown): void {
  const expected = error instanceof CopilotError
  const message = expected ? error.message : 'The AI service could not start because of a fault of its own. Start it again; if it stays, report it.'
  if (!expected) logger.error(errorFields(error), 'service.bug')
  process.stderr.write(`${message}\n`)
  parentPort?.postMessage({ ready: false, message })
}

process.on('SIGTERM', () => stop('SIGTERM'))
process.on('SIGINT', () => stop('SIGINT'))
// Not before it runs: what it reads then is what there is.
process.on('SIGHUP', () => void service?.reload())
process.on('disconnect', () => stop('parent has gone'))
process.on('uncaughtException', (error) => {
  logger.error({ ...errorFields(error), code: toCopilotError(error).code }, 'process.bug')
  process.exit(1)
})
parentPort?.on('message', ({ data }) => {
  if (typeof data === 'object' && data !== null && 'type' in data && data.type === 'stop') stop('asked by the desktop')
})
/** A parent that was killed says nothing: its child is then adopted by another process. */
function watchParent(): void {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) stop('parent has gone')
  }, PARENT_WATCH_MS).unref()
}

try {
  const config = takeProcessConfig()
  if (parentPort !== undefined || config.stopsWithParent) watchParent()
  service = await startService({ config, logger, onLogLevel: (level) => (logger.level = level) })
  const ready = { ready: true, grpc: service.grpc, http: service.http }
  if (parentPort === undefined) process.stdout.write(`${JSON.stringify(ready)}\n`)
  else parentPort.postMessage(ready)
  if (stopAsked !== null) await end(service, stopAsked)
} catch (error) {
  sayWhy(error)
  process.exit(1)
}
