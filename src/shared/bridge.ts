// The typed bridge between renderer and main: every call with its schemas, and the one push channel. Parsed on arrival.
import { z } from 'zod'
import {
  countsSchema,
  desktopStatusSchema,
  exportRequestSchema,
  historyStatusSchema,
  importPreviewSchema,
  jobSchema,
  linkStatusSchema,
  messagePageSchema,
  messageSchema,
  purgeScopeSchema,
  retentionRuleSchema,
  searchQuerySchema,
  searchResultSchema,
  sessionDetailsSchema,
  sessionSchema,
  sessionStatuses,
  settingsPatchSchema,
  settingsSchema,
  usageRangeSchema,
  usageReportSchema
} from './domain.ts'
import { wireErrorSchema } from './errors.ts'
import { quickActions, turnEventSchema } from './turn.ts'

const id = z.string().min(1).max(128)
const nothing = z.null()
const passphraseText = z.string().min(1).max(1_000)

/** Something a person should know, outside of any message. Shown until dismissed when `sticky`. */
export const announcementSchema = z.object({
  id,
  level: z.enum(['info', 'warning', 'error']),
  text: z.string(),
  sticky: z.boolean()
})
export type Announcement = z.infer<typeof announcementSchema>

/** Unsent text. `turnId` is made at the first attempt to send it, so that a second attempt is the same question. */
export const draftSchema = z.object({ text: z.string().max(200_000), turnId: z.uuid().nullable() })
export type Draft = z.infer<typeof draftSchema>

/** One step of the mirror. A `message` replaces the message whole; `turn` events go on top of the answer's `lastSeq`. */
export const deltaSchema = z.discriminatedUnion('slice', [
  z.object({ slice: z.literal('link'), value: linkStatusSchema }),
  z.object({ slice: z.literal('settings'), value: settingsSchema }),
  z.object({ slice: z.literal('desktop'), value: desktopStatusSchema }),
  z.object({ slice: z.literal('session'), value: sessionSchema }),
  z.object({ slice: z.literal('session-removed'), id }),
  z.object({ slice: z.literal('message'), value: messageSchema }),
  z.object({ slice: z.literal('message-removed'), id, sessionId: id }),
  z.object({ slice: z.literal('turn'), sessionId: id, messageId: id, events: z.array(turnEventSchema) }),
  z.object({ slice: z.literal('waiting'), count: z.number().int() }),
  z.object({ slice: z.literal('announcement'), value: announcementSchema }),
  /** Long work: it replaces the job of the same id. One that ended stays in the list until it is dismissed. */
  z.object({ slice: z.literal('job'), value: jobSchema }),
  z.object({ slice: z.literal('job-removed'), id }),
  /** The whole history is another one now (restored, imported, purged, unlocked): ask for a snapshot and forget what was loaded. */
  z.object({ slice: z.literal('history-replaced') }),
  /** Main asks a window to show something: from a shortcut, a menu, a deep link, the command line. */
  z.object({
    slice: z.literal('command'),
    command: z.enum(['focus-composer', 'new-session', 'search', 'ask']),
    text: z.string().optional(),
    sessionId: id.optional()
  })
])
export type Delta = z.infer<typeof deltaSchema>

/** At most one a frame. `seq` counts from the snapshot's by one; a gap means: ask for a snapshot. */
export const pushSchema = z.object({ seq: z.number().int().nonnegative(), deltas: z.array(deltaSchema) })
export type Push = z.infer<typeof pushSchema>

export const snapshotSchema = z.object({
  seq: z.number().int().nonnegative(),
  link: linkStatusSchema,
  settings: settingsSchema,
  desktop: desktopStatusSchema,
  /** Sessions that are not archived, newest activity first, pinned before others; at most 200. */
  sessions: z.array(sessionSchema),
  /** Questions that wait in the outbox. */
  waiting: z.number().int(),
  /** The session the overlay asks in. */
  overlaySessionId: z.string().nullable(),
  announcements: z.array(announcementSchema),
  jobs: z.array(jobSchema),
  /** Unsent text by its place (a session's id, or `overlay`), so that not a word is lost in a crash. */
  drafts: z.record(z.string(), draftSchema)
})
export type Snapshot = z.infer<typeof snapshotSchema>

export const acceptedSchema = z.object({
  turnId: z.uuid(),
  sessionId: id,
  /** The user's message, saved and durable. */
  message: messageSchema
})
export type Accepted = z.infer<typeof acceptedSchema>

export const bridge = {
  snapshot: { input: nothing, output: snapshotSchema },

  /** `turnId` is made by the caller, so that asking twice is asking once. Resolves when the question is durable. */
  'turn.ask': {
    input: z.object({ turnId: z.uuid(), sessionId: id, text: z.string(), quickAction: z.enum(quickActions).optional() }),
    output: acceptedSchema
  },
  /** Stops an answer that is on its way; what has arrived is kept. */
  'turn.stop': { input: z.object({ turnId: z.uuid() }), output: nothing },
  /** Asks the same question again as a new turn; the old answer stays. */
  'turn.again': { input: z.object({ messageId: id, turnId: z.uuid() }), output: acceptedSchema },
  /** Changes a question that was not sent yet, or that failed, and sends it. */
  'turn.edit': { input: z.object({ messageId: id, text: z.string() }), output: messageSchema },

  'outbox.sendNow': { input: z.object({ messageId: id }), output: nothing },
  'outbox.cancel': { input: z.object({ messageId: id }), output: nothing },
  /** Every question that waits, is being sent, or failed, oldest first. */
  'outbox.list': { input: nothing, output: z.array(messageSchema) },

  'sessions.create': { input: sessionDetailsSchema.partial(), output: sessionSchema },
  'sessions.update': {
    input: z.object({
      id,
      details: sessionDetailsSchema.partial().optional(),
      pinned: z.boolean().optional(),
      status: z.enum(sessionStatuses).optional()
    }),
    output: sessionSchema
  },
  'sessions.get': { input: z.object({ id }), output: sessionSchema },
  'sessions.remove': { input: z.object({ id }), output: nothing },
  'sessions.list': {
    input: z.object({
      status: z.enum(sessionStatuses).optional(),
      text: z.string().max(200).optional(),
      limit: z.number().int().min(1).max(500).default(200)
    }),
    output: z.array(sessionSchema)
  },

  /** A page of the transcript: the last one, before or after a position, or around a message. */
  'messages.page': {
    input: z.object({
      sessionId: id,
      limit: z.number().int().min(1).max(500).default(100),
      before: z.number().int().optional(),
      after: z.number().int().optional(),
      around: id.optional()
    }),
    output: messagePageSchema
  },
  'search.query': { input: searchQuerySchema, output: searchResultSchema },
  'usage.report': { input: usageRangeSchema, output: usageReportSchema },

  /** Keeps unsent text in the encrypted history; an empty one is forgotten. */
  'drafts.keep': { input: draftSchema.extend({ key: id }), output: nothing },

  'history.status': { input: nothing, output: historyStatusSchema },
  /** While `desktop.locked`: opens the history. `unauthenticated` for a wrong passphrase. */
  'history.unlock': { input: z.object({ passphrase: passphraseText }), output: nothing },
  /** Seals the history's key with a passphrase, or (null) with the system's vault again. `current` when one is set now. */
  'history.setPassphrase': { input: z.object({ current: passphraseText.nullable(), next: passphraseText.nullable() }), output: historyStatusSchema },
  /** Encrypts the whole history with a new key. */
  'history.rekey': { input: nothing, output: nothing },
  /**
   * Main asks where to. With a passphrase the copy can be opened on any machine; without one only with this machine's key.
   * Null: the person chose no file.
   */
  'history.backup': {
    input: z.object({ passphrase: passphraseText.nullable() }),
    output: z.object({ fileName: z.string(), sizeBytes: z.number().int() }).nullable()
  },
  /** Main asks which file. It is verified first; the present history is set aside, never deleted. */
  'history.restore': { input: z.object({ passphrase: passphraseText.nullable() }), output: countsSchema.nullable() },
  /** `days` null: kept until removed by hand. */
  'history.setRetention': {
    input: z.object({ clientName: retentionRuleSchema.shape.clientName, days: retentionRuleSchema.shape.days.nullable() }),
    output: historyStatusSchema
  },
  /** How much a purge would take. */
  'history.purgePreview': { input: purgeScopeSchema, output: countsSchema },
  /** Removes for good: from the file, the log and the index. The usage ledger keeps its rows, without text. */
  'history.purge': { input: purgeScopeSchema, output: countsSchema },

  /** Main asks where to. Null: the person chose no file. */
  'export.write': { input: exportRequestSchema, output: countsSchema.extend({ fileName: z.string() }).nullable() },
  /** Main asks which file, reads and checks it. Nothing is in the history until `import.confirm`. Null: no file was chosen. */
  'import.read': { input: nothing, output: importPreviewSchema.nullable() },
  /** All of it or nothing. */
  'import.confirm': { input: z.object({ id, clientName: z.string().max(200).optional() }), output: countsSchema },
  'import.discard': { input: z.object({ id }), output: nothing },
  'job.cancel': { input: z.object({ id }), output: nothing },
  'job.dismiss': { input: z.object({ id }), output: nothing },

  'settings.change': { input: settingsPatchSchema, output: settingsSchema },
  /** Stores a provider's key in the main process; it never comes back. An empty one removes it. */
  'settings.providerKey': { input: z.object({ provider: z.enum(['openai']), key: z.string().max(500) }), output: z.object({ set: z.boolean() }) },

  'overlay.show': { input: z.object({ sessionId: id.nullable() }), output: nothing },
  'overlay.hide': { input: nothing, output: nothing },
  /** From the overlay: open the session in the main window. */
  'window.showMain': { input: z.object({ sessionId: id.nullable() }), output: nothing },
  /** Opens a citation's or an answer's https link in the system's browser. */
  'link.open': { input: z.object({ url: z.string().max(2_000) }), output: nothing },
  'link.retry': { input: nothing, output: nothing },
  'clipboard.write': { input: z.object({ text: z.string().max(2_000_000) }), output: nothing },
  'announcement.dismiss': { input: z.object({ id }), output: nothing }
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>

export type Bridge = typeof bridge
export type BridgeMethod = keyof Bridge
/** What a caller passes (defaults not yet filled in) and what a handler gets. */
export type BridgeInput<M extends BridgeMethod> = z.input<Bridge[M]['input']>
export type BridgeParsed<M extends BridgeMethod> = z.output<Bridge[M]['input']>
export type BridgeOutput<M extends BridgeMethod> = z.output<Bridge[M]['output']>

/** Electron's IPC carries only an error's message, so failures travel as values. */
export const envelopeSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), error: wireErrorSchema })
])
export type Envelope = z.infer<typeof envelopeSchema>

/** What the preload puts on `window.aside`; nothing else crosses. */
export interface PreloadApi {
  /** Resolves with the envelope, whatever happened. */
  call(method: string, input: unknown): Promise<unknown>
  /** Returns the function that ends the subscription. */
  onPush(listener: (push: unknown) => void): () => void
  /** Which window this is, from its own URL. */
  readonly window: 'main' | 'overlay'
}
