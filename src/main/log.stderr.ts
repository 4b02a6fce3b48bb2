// Logs of the desktop as JSON lines on standard error, by pino. An error is logged by name, code and stack, never with
// what a person wrote.
import { pino } from 'pino'
import type { Log, LogFields } from './log.ts'

export type LogLevel = 'error' | 'warn' | 'info' | 'silent'

export function createStderrLog(level: LogLevel): Log {
  const logger = pino({ level, base: { process: 'desktop' }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }))
  const plain = (fields: LogFields = {}): object =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? describe(value) : value]))
  return {
    info: (event, fields) => logger.info(plain(fields), event),
    warn: (event, fields) => logger.warn(plain(fields), event),
    error: (event, fields) => logger.error(plain(fields), event)
  }
}

function describe(error: Error): object {
  const cause = error.cause instanceof Error ? { cause: describe(error.cause) } : {}
  return { name: error.name, message: error.message, ...('code' in error ? { code: error.code } : {}), stack: error.stack, ...cause }
}
