// The records that an export is made of and an import is made from: one session, then its turns and messages in order; the
// usage ledger at the end. As docs/import-export.md documents them for version 1 of the file's format.
import { z } from 'zod'
import { roles, sessionDetailsSchema, sessionStatuses } from '../../shared/domain.ts'
import { wireErrorSchema } from '../../shared/errors.ts'
import { citationSchema, finishReasons, noticeSchema, quickActions, usageSchema } from '../../shared/turn.ts'

/** The last moment that an ISO time can name, Unix ms (ECMA-262, "Time Values and Time Range"). */
export const MAX_TIME = 8_640_000_000_000_000
const ISO_TIME = /^(?:\d{4}|\+\d{6})-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/

const time = z.string().transform((text, context) => {
  const at = ISO_TIME.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  context.addIssue({ code: 'custom', message: 'is no time such as 2026-01-31T09:30:00.000Z, from 1970 on' })
  return z.NEVER
})
const id = z.string().min(1).max(128)
const count = z.number().int().nonnegative()

export const sessionRecordSchema = z.object({
  kind: z.literal('session'),
  id,
  ...sessionDetailsSchema.shape,
  status: z.enum(sessionStatuses),
  pinned: z.boolean(),
  createdAt: time,
  updatedAt: time,
  lastActivityAt: time,
  expiresAt: time.nullable()
})
/** Comes before the first message that belongs to it. */
export const turnRecordSchema = z.object({
  kind: z.literal('turn'),
  id,
  /** `new`: it was never begun. One that was under way is written as `cancelled`: a file answers nothing. */
  state: z.enum(['new', 'done', 'failed', 'cancelled']),
  /** What was sent along with the question. */
  context: z.record(z.string(), z.string()),
  citations: z.array(citationSchema),
  notices: z.array(noticeSchema),
  usage: usageSchema.nullable(),
  error: wireErrorSchema.nullable(),
  finish: z.enum(finishReasons).nullable(),
  lastSeq: count,
  serviceMessageId: z.string().nullable(),
  startedAt: time.nullable(),
  firstTextAt: time.nullable(),
  endedAt: time.nullable()
})
export const messageRecordSchema = z.object({
  kind: z.literal('message'),
  id,
  /** Of the session's last turn record with this id; null for a message that no turn made. */
  turnId: id.nullable(),
  role: z.enum(roles),
  createdAt: time,
  quickAction: z.enum(quickActions).nullable(),
  /** Of a question. One that waited is written as `cancelled`: a file is no outbox, and what is imported is not sent. */
  delivery: z
    .object({
      state: z.enum(['settled', 'failed', 'cancelled']),
      attempts: count,
      acceptedAt: time,
      confirmedAt: time.nullable(),
      error: wireErrorSchema.nullable()
    })
    .nullable(),
  text: z.string()
})
/** A row of the usage ledger; it outlives its session. */
export const usageRecordSchema = z.object({
  kind: z.literal('usage'),
  turnId: id,
  sessionId: z.string(),
  sessionTitle: z.string(),
  clientName: z.string(),
  provider: z.string(),
  model: z.string(),
  inputTokens: count,
  outputTokens: count,
  cachedTokens: count,
  costMicros: count,
  failovers: count,
  firstTextMs: z.number().nonnegative().nullable(),
  totalMs: z.number().nonnegative().nullable(),
  errorCode: z.string().nullable(),
  at: time
})
export const recordSchema = z.discriminatedUnion('kind', [sessionRecordSchema, turnRecordSchema, messageRecordSchema, usageRecordSchema])

/** As it is in a program: times in Unix ms. */
export type HistoryRecord = z.output<typeof recordSchema>
export type RecordOf<Kind extends HistoryRecord['kind']> = Extract<HistoryRecord, { readonly kind: Kind }>
/** As it is in a file: times as ISO 8601. */
export type FileRecord = z.input<typeof recordSchema>
export type FileRecordOf<Kind extends FileRecord['kind']> = Extract<FileRecord, { readonly kind: Kind }>

export function isoTime(at: number): string {
  return new Date(Math.min(Math.max(at, 0), MAX_TIME)).toISOString()
}
const isoOrNull = (at: number | null): string | null => (at === null ? null : isoTime(at))

/** One line of JSON, the same for the same record whatever it was read from: the schemas fix the order of the names. */
export function recordLine(record: HistoryRecord): string {
  return JSON.stringify(fileRecord(record))
}

/** With the names in the order of the schema, and no others. */
function ordered<T extends object>(shape: Readonly<Record<string, unknown>>, value: T): T {
  const source = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(Object.keys(shape).flatMap((name) => (source[name] === undefined ? [] : [[name, source[name]]]))) as T
}
const orderedOrNull = <T extends object>(shape: Readonly<Record<string, unknown>>, value: T | null): T | null => value && ordered(shape, value)

function fileRecord(record: HistoryRecord): FileRecord {
  switch (record.kind) {
    case 'session':
      return ordered(sessionRecordSchema.shape, {
        ...record,
        createdAt: isoTime(record.createdAt),
        updatedAt: isoTime(record.updatedAt),
        lastActivityAt: isoTime(record.lastActivityAt),
        expiresAt: isoOrNull(record.expiresAt)
      })
    case 'turn':
      return ordered(turnRecordSchema.shape, {
        ...record,
        citations: record.citations.map((citation) => ordered(citationSchema.shape, citation)),
        notices: record.notices.map((notice) => ordered(noticeSchema.shape, notice)),
        usage: orderedOrNull(usageSchema.shape, record.usage),
        error: orderedOrNull(wireErrorSchema.shape, record.error),
        startedAt: isoOrNull(record.startedAt),
        firstTextAt: isoOrNull(record.firstTextAt),
        endedAt: isoOrNull(record.endedAt)
      })
    case 'message':
      return ordered(messageRecordSchema.shape, {
        ...record,
        createdAt: isoTime(record.createdAt),
        delivery: record.delivery && {
          state: record.delivery.state,
          attempts: record.delivery.attempts,
          acceptedAt: isoTime(record.delivery.acceptedAt),
          confirmedAt: isoOrNull(record.delivery.confirmedAt),
          error: orderedOrNull(wireErrorSchema.shape, record.delivery.error)
        }
      })
    case 'usage':
      return ordered(usageRecordSchema.shape, { ...record, at: isoTime(record.at) })
  }
}

/** Records on their way between threads, as bytes: they pass through the main thread without being unpacked there. */
export function packRecords(records: readonly HistoryRecord[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(records))
}
/** Only for what `packRecords` made. */
export function unpackRecords(bytes: Uint8Array): HistoryRecord[] {
  return JSON.parse(new TextDecoder().decode(bytes)) as HistoryRecord[]
}
