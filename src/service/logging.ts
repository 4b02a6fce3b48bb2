// Logs are events with fields and ids; never prompts, answers, tokens or personal data.
import { pino, type DestinationStream } from 'pino'
import { scrubPersonalData } from '../shared/kit/personalData.ts'
import { correlationId } from './correlation.ts'
import { maskCredentials } from './safety/credentials.ts'

/** The part of a logger that rooms use: fields first, then the event's name. */
export interface Logger {
  debug(fields: object, event: string): void
  info(fields: object, event: string): void
  warn(fields: object, event: string): void
  error(fields: object, event: string): void
}

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

/** A logger whose level can be turned while it runs. */
export interface LevelLogger extends Logger {
  level: string
}

/** JSON lines; each carries the correlation id of what is being done. */
export function createLogger(destination: DestinationStream, level: LogLevel = 'info'): LevelLogger {
  const formatters = { level: (label: string) => ({ level: label }), log: scrubFields }
  // A field of that name in the event itself wins.
  const mixin = (): object => {
    const id = correlationId()
    return id === undefined ? {} : { correlationId: id }
  }
  return pino({ base: null, level, mixin, timestamp: pino.stdTimeFunctions.isoTime, formatters }, destination)
}

const DEEPEST = 6
const LONGEST_TEXT = 2_000

/** The last line of defence: fields hold no content by design; what slips in of a person or a key is replaced. */
export function scrubFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [scrubText(name), scrubValue(value, 0)]))
}

function scrubValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return scrubText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEEPEST) return '[deeper]'
  if (Array.isArray(value)) return value.slice(0, 100).map((one) => scrubValue(one, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [scrubText(name), scrubValue(one, depth + 1)]))
}

function scrubText(text: string): string {
  const short = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT).toWellFormed()}…` : text
  return scrubPersonalData(maskCredentials(short).text)
}

/** What may be told of an error: its kind and place, not its words, which can hold what a person wrote. */
export function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error ? String(error.code) : undefined
  return { error: error.name, ...(code === undefined ? {} : { code }), stack: error.stack?.split('\n').filter((line) => line.startsWith('    at ')) }
}
