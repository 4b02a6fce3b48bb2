// The words of the product: sessions, messages, deliveries, search hits, the usage ledger. Rows as main keeps them and
// the renderer shows them. Times are Unix ms, money is integer micro-USD.
import { z } from 'zod'
import { wireErrorSchema } from './errors.ts'
import { citationSchema, finishReasons, noticeSchema, quickActions, usageSchema } from './turn.ts'

const id = z.string().min(1).max(128)
const at = z.number().int().nonnegative()
const shortText = z.string().max(200)

/** How the key of the history is kept; `file`: no vault on this system, protected by file permissions only. */
export const keyStorages = ['vault', 'file', 'passphrase'] as const

// ---- sessions ------------------------------------------------------------------------------------------------------

/** What a session tells about its meeting; sent as context with each question. */
export const sessionDetailsSchema = z.object({
  title: shortText,
  clientName: shortText,
  meetingType: shortText,
  projectContext: z.string().max(4_000),
  serviceTypes: z.array(shortText).max(30),
  cloudProviders: z.array(shortText).max(10),
  customFields: z.record(shortText, z.string().max(1_000)),
  notes: z.string().max(100_000)
})
export type SessionDetails = z.infer<typeof sessionDetailsSchema>

export const sessionStatuses = ['active', 'archived'] as const
export const sessionSchema = sessionDetailsSchema.extend({
  id,
  status: z.enum(sessionStatuses),
  pinned: z.boolean(),
  createdAt: at,
  updatedAt: at,
  lastActivityAt: at,
  expiresAt: at.nullable(),
  messageCount: z.number().int().nonnegative()
})
export type Session = z.infer<typeof sessionSchema>

// ---- messages ------------------------------------------------------------------------------------------------------

/** Where a question's row of the outbox stands. */
export const deliveryStates = ['waiting', 'sending', 'settled', 'failed', 'cancelled'] as const
export const deliverySchema = z.object({
  state: z.enum(deliveryStates),
  attempts: z.number().int().nonnegative(),
  /** When the outbox tries again by itself; null when it won't. */
  nextAttemptAt: at.nullable(),
  /** True when it is older than an hour: it waits for the person's word. */
  needsConfirmation: z.boolean(),
  error: wireErrorSchema.nullable()
})
export type Delivery = z.infer<typeof deliverySchema>

export const answerStates = ['answering', 'done', 'failed', 'cancelled'] as const
export const answerSchema = z.object({
  state: z.enum(answerStates),
  citations: z.array(citationSchema),
  notices: z.array(noticeSchema),
  usage: usageSchema.nullable(),
  error: wireErrorSchema.nullable(),
  finish: z.enum(finishReasons).nullable(),
  /** Number of the last turn event that is in `text`: later events of the live turn go on top. */
  lastSeq: z.number().int().nonnegative()
})
export type Answer = z.infer<typeof answerSchema>

export const roles = ['user', 'assistant', 'system'] as const
export const messageSchema = z.object({
  id,
  sessionId: id,
  turnId: z.string().nullable(),
  role: z.enum(roles),
  text: z.string(),
  createdAt: at,
  /** Place in its session; grows, may have gaps. The cursor of pages. */
  position: z.number().int(),
  quickAction: z.enum(quickActions).nullable(),
  /** User messages only. */
  delivery: deliverySchema.nullable(),
  /** Assistant messages only. */
  answer: answerSchema.nullable()
})
export type Message = z.infer<typeof messageSchema>

export const messagePageSchema = z.object({
  messages: z.array(messageSchema),
  hasEarlier: z.boolean(),
  hasLater: z.boolean()
})
export type MessagePage = z.infer<typeof messagePageSchema>

// ---- search --------------------------------------------------------------------------------------------------------

export const searchQuerySchema = z.object({
  text: z.string().max(500),
  sessionId: id.optional(),
  clientName: shortText.optional(),
  role: z.enum(roles).optional(),
  /** Both ends inclusive, Unix ms. */
  from: at.optional(),
  to: at.optional(),
  limit: z.number().int().min(1).max(100).default(30)
})
export type SearchQuery = z.infer<typeof searchQuerySchema>

export const searchHitSchema = z.object({
  messageId: id,
  sessionId: id,
  sessionTitle: z.string(),
  clientName: z.string(),
  role: z.enum(roles),
  createdAt: at,
  /** The snippet in pieces; `hit` pieces are what matched. Plain text, never markup. */
  snippet: z.array(z.object({ text: z.string(), hit: z.boolean() }))
})
export type SearchHit = z.infer<typeof searchHitSchema>
export const searchResultSchema = z.object({ hits: z.array(searchHitSchema), more: z.boolean(), tookMs: z.number() })
export type SearchResult = z.infer<typeof searchResultSchema>

// ---- usage ---------------------------------------------------------------------------------------------------------

const usageTotalsSchema = z.object({
  turns: z.number().int(),
  failed: z.number().int(),
  inputTokens: z.number().int(),
  outputTokens: z.number().int(),
  cachedTokens: z.number().int(),
  costMicros: z.number().int(),
  failovers: z.number().int()
})
export type UsageTotals = z.infer<typeof usageTotalsSchema>
const percentilesSchema = z.object({ p50: z.number(), p95: z.number(), p99: z.number() })
export type Percentiles = z.infer<typeof percentilesSchema>
const groupSchema = z.object({ key: z.string(), label: z.string(), totals: usageTotalsSchema })
export type UsageGroup = z.infer<typeof groupSchema>

export const usageRangeSchema = z.object({
  /** Unix ms, from inclusive, to exclusive. */
  from: at,
  to: at,
  clientName: shortText.optional(),
  sessionId: id.optional()
})
export type UsageRange = z.infer<typeof usageRangeSchema>

/** Figures of the ledger, which survives the deletion of messages. Percentiles in ms; null without a single sample. */
export const usageReportSchema = z.object({
  range: usageRangeSchema,
  totals: usageTotalsSchema,
  firstTextMs: percentilesSchema.nullable(),
  totalMs: percentilesSchema.nullable(),
  /** Every local day of the range that had a turn; key `YYYY-MM-DD`. */
  byDay: z.array(groupSchema),
  byClient: z.array(groupSchema),
  bySession: z.array(groupSchema),
  byModel: z.array(groupSchema),
  byProvider: z.array(groupSchema),
  byError: z.array(z.object({ code: z.string(), count: z.number().int() }))
})
export type UsageReport = z.infer<typeof usageReportSchema>

// ---- link ----------------------------------------------------------------------------------------------------------

export const transports = ['grpc', 'websocket', 'polling'] as const
export const linkStatusSchema = z.object({
  state: z.enum(['connecting', 'online', 'offline']),
  transport: z.enum(transports).nullable(),
  /** One sentence for people: why it is in this state. Empty when all is well. */
  reason: z.string(),
  retryAt: at.nullable(),
  since: at,
  service: z.object({
    /** True: the service inside Aside, on this machine. */
    embedded: z.boolean(),
    /** `host:port` without credentials. */
    address: z.string(),
    version: z.string().nullable(),
    /** What answers, in words: "Local knowledge", "Ollama · llama3.2". Null until the service has said. */
    answeredBy: z.string().nullable()
  })
})
export type LinkStatus = z.infer<typeof linkStatusSchema>

// ---- settings ------------------------------------------------------------------------------------------------------

/** An Electron accelerator such as `CommandOrControl+Shift+Space`; null: unset. */
const accelerator = z.string().min(1).max(80).nullable()
export const boundsSchema = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().positive(),
  height: z.number().int().positive()
})
export type Bounds = z.infer<typeof boundsSchema>

export const settingsSchema = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  reduceMotion: z.enum(['system', 'always']),
  /** Factor on the base type size. */
  textScale: z.number().min(0.8).max(1.6),
  shortcuts: z.object({ toggleOverlay: accelerator, askClipboard: accelerator }),
  overlay: z.object({
    opacity: z.number().min(0.5).max(1),
    clickThrough: z.boolean(),
    /** Kept out of screen sharing where the operating system can. */
    hideFromCapture: z.boolean()
  }),
  service: z.object({
    /** An OpenAI-compatible server the embedded service may use; empty: none. Never holds a key. */
    openaiBaseUrl: z.string().max(500),
    openaiModel: z.string().max(200),
    /** Look for an Ollama on this machine. */
    findOllama: z.boolean()
  })
})
export type Settings = z.infer<typeof settingsSchema>

/** Ctrl+Shift+V stays free: terminals and editors paste with it. */
export const defaultSettings: Settings = {
  theme: 'system',
  reduceMotion: 'system',
  textScale: 1,
  shortcuts: { toggleOverlay: 'CommandOrControl+Shift+Space', askClipboard: 'CommandOrControl+Alt+Shift+V' },
  overlay: { opacity: 1, clickThrough: false, hideFromCapture: true },
  service: { openaiBaseUrl: '', openaiModel: '', findOllama: true }
}

/** A part of the settings; what is absent stays. */
export const settingsPatchSchema = z.object({
  theme: settingsSchema.shape.theme.optional(),
  reduceMotion: settingsSchema.shape.reduceMotion.optional(),
  textScale: settingsSchema.shape.textScale.optional(),
  shortcuts: settingsSchema.shape.shortcuts.partial().optional(),
  overlay: settingsSchema.shape.overlay.partial().optional(),
  service: settingsSchema.shape.service.partial().optional()
})
export type SettingsPatch = z.infer<typeof settingsPatchSchema>

// ---- the desktop itself --------------------------------------------------------------------------------------------

export const desktopStatusSchema = z.object({
  version: z.string(),
  platform: z.enum(['darwin', 'win32', 'linux']),
  /** How the key of the history is kept; `file`: no vault on this system, protected by file permissions only. */
  keyStorage: z.enum(keyStorages),
  /** The history is sealed with a passphrase that was not given yet: `history.unlock` opens it. */
  locked: z.boolean(),
  /** Whether this system keeps windows out of screen sharing: a promise only where the OS keeps it. */
  captureProtection: z.enum(['hidden', 'not-guaranteed']),
  /** For each shortcut: does it work? `taken`: another program has it. */
  shortcuts: z.record(z.string(), z.enum(['registered', 'unset', 'taken'])),
  overlayVisible: z.boolean(),
  /** Set when the history could not be opened as it was: what happened, where the old file is kept. */
  historyIncident: z.string().nullable()
})
export type DesktopStatus = z.infer<typeof desktopStatusSchema>

// ---- taking care of the history ------------------------------------------------------------------------------------

/** How long a client's messages are kept; `clientName` empty: every client without a rule of its own. */
export const retentionRuleSchema = z.object({ clientName: shortText, days: z.number().int().min(1).max(36_500) })
export type RetentionRule = z.infer<typeof retentionRuleSchema>

export const historyStatusSchema = z.object({
  /** Of the database with its write-ahead log, bytes. */
  sizeBytes: z.number().int().nonnegative(),
  sessions: z.number().int().nonnegative(),
  messages: z.number().int().nonnegative(),
  keyStorage: z.enum(keyStorages),
  /** Unix ms; null: never, as far as this history knows. */
  lastBackupAt: at.nullable(),
  lastCheckAt: at.nullable(),
  retention: z.array(retentionRuleSchema)
})
export type HistoryStatus = z.infer<typeof historyStatusSchema>

/** What a purge takes: all that is given must hold. At least one must be given. */
export const purgeScopeSchema = z
  .object({ sessionId: id.optional(), clientName: shortText.optional(), before: at.optional() })
  .refine((scope) => Object.values(scope).some((value) => value !== undefined), 'Say what shall be purged.')
export type PurgeScope = z.infer<typeof purgeScopeSchema>
export const countsSchema = z.object({ sessions: z.number().int(), messages: z.number().int() })
export type Counts = z.infer<typeof countsSchema>

// ---- import and export ---------------------------------------------------------------------------------------------

export const exportFormats = ['json', 'markdown', 'html', 'csv'] as const
export type ExportFormat = (typeof exportFormats)[number]
export const exportRequestSchema = z.object({
  /** `csv` is the usage ledger; the others are sessions with their messages. `json` can be imported again, losslessly. */
  format: z.enum(exportFormats),
  sessionId: id.optional(),
  clientName: shortText.optional(),
  from: at.optional(),
  to: at.optional()
})
export type ExportRequest = z.infer<typeof exportRequestSchema>

/** What a file to be imported holds. It is read and checked whole before a word of it is in the history. */
export const importPreviewSchema = z.object({
  id,
  fileName: z.string(),
  source: z.enum(['aside', 'chatgpt']),
  sessions: z.number().int(),
  messages: z.number().int(),
  /** Sessions of the file that are already in the history: they are left as they are. */
  known: z.number().int(),
  /** Unix ms of the first and the last message; null without one. */
  from: at.nullable(),
  to: at.nullable(),
  /** One sentence each, for people: what will be left out and why. At most 20. */
  remarks: z.array(z.string())
})
export type ImportPreview = z.infer<typeof importPreviewSchema>

// ---- long work -----------------------------------------------------------------------------------------------------

export const jobSchema = z.object({
  id,
  kind: z.enum(['export', 'import', 'backup', 'restore', 'rekey', 'purge']),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  /** What it is doing, in words for people. */
  text: z.string(),
  done: z.number().nonnegative(),
  /** Null: not known. */
  total: z.number().nonnegative().nullable(),
  cancellable: z.boolean(),
  error: wireErrorSchema.nullable()
})
export type Job = z.infer<typeof jobSchema>
