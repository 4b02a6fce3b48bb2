// The running app's local door for the command line: what goes through it, one JSON document a line, and the port that
// the desktop fills in. One request per connection; closing it lets go of the answer, `cancel` stops it.
import { z } from 'zod'
import { linkStatusSchema } from '../../shared/domain.ts'
import { wireErrorSchema } from '../../shared/errors.ts'
import { quickActions, turnEventSchema, type TurnEvent } from '../../shared/turn.ts'

/** Longest line in bytes, both ways: the longest question, every character escaped, has room in it. */
export const MAX_LINE_BYTES = 1_048_576

const askSchema = z.object({
  turnId: z.uuid(),
  text: z.string(),
  /** Title of the session; it is made when there is none. Absent: the host chooses. */
  sessionName: z.string().trim().min(1).max(200).optional(),
  quickAction: z.enum(quickActions).optional()
})
export type EndpointAsk = z.infer<typeof askSchema>

const showSchema = z.object({ what: z.enum(['overlay', 'main', 'toggle']), text: z.string().optional() })
type EndpointShow = z.infer<typeof showSchema>

const token = z.string()
export const requestSchema = z.discriminatedUnion('method', [
  z.object({ method: z.literal('ask'), token, params: askSchema }),
  z.object({ method: z.literal('show'), token, params: showSchema }),
  z.object({ method: z.literal('status'), token }),
  z.object({ method: z.literal('stop'), token })
])
type WithoutToken<T> = T extends { token: string } ? Omit<T, 'token'> : never
export type EndpointRequest = z.infer<typeof requestSchema>
export type EndpointCall = WithoutToken<EndpointRequest>

/** The one line that may follow an `ask`: stops the turn; its last event then says so. */
export const cancelSchema = z.object({ method: z.literal('cancel') })

const statusSchema = z.object({
  version: z.string(),
  /** Normal form of ASIDE_SERVICE_URL as the app was started with it; null: the service inside Aside. */
  service: z.string().nullable(),
  windows: z.boolean(),
  link: linkStatusSchema
})
export type EndpointStatus = z.infer<typeof statusSchema>

export const replySchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('event'), event: turnEventSchema }),
  z.object({ type: z.literal('status'), status: statusSchema }),
  z.object({ type: z.literal('end') }),
  z.object({ type: z.literal('error'), error: wireErrorSchema })
])
export type EndpointReply = z.infer<typeof replySchema>

export const HOST_FILE = 'host.json'
/** Where the running app listens; readable by its account only. `token` proves that a caller could read it. */
export const hostSchema = z.object({ version: z.literal(1), pid: z.number().int().positive(), path: z.string().min(1), token: z.string().min(32) })
export type HostInfo = z.infer<typeof hostSchema>

/** What the desktop does for the command line. */
export interface EndpointHandlers {
  /**
   * Saves the question, then tells the turn's events to its end. Throws `CopilotError`; `offline` means: saved, waits in
   * the outbox, will be sent. The signal lets go of the answer, the turn goes on.
   */
  ask(question: EndpointAsk, signal: AbortSignal): AsyncIterable<TurnEvent>
  /** Stops a turn; what has arrived is kept. */
  stopTurn(turnId: string): Promise<void>
  status(): EndpointStatus
  /** null: this host has no windows. */
  readonly show: ((wish: EndpointShow) => Promise<void>) | null
  /** null: this host is not the caller's to stop. */
  readonly stop: (() => Promise<void>) | null
}
