// Logs are events with fields: never a question, an answer, a token or personal data.
export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
