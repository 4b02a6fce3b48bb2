// Logs are events with fields and ids; never prompts, answers, tokens or personal data.
import { pino, type DestinationStream } from 'pino'

/** The part of a logger that rooms use: fields first, then the event's name. */
export interface Logger {
  debug(fields: object, event: string): void
  info(fields: object, event: string): void
  warn(fields: object, event: string): void
  error(fields: object, event: string): void
}

/** JSON lines. */
export function createLogger(destination: DestinationStream): Logger {
  return pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } }, destination)
}

/** What may be told of an error: its kind and place, not its words, which can hold what a person wrote. */
export function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error ? String(error.code) : undefined
  return { error: error.name, ...(code === undefined ? {} : { code }), stack: error.stack?.split('\n').filter((line) => line.startsWith('    at ')) }
}
