// Works off what has come in from elsewhere than a chat: webhooks' events and due schedules become inputs, inputs are decided one after
// the other, outcomes are told to the store of past decisions.
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { WorkItem, Worklist } from '../actions/worklist.ts'
import { agentInputSchema, LONGEST_INPUT_TEXT, type AgentInput, type AgentOutput } from '../decisions/contract.ts'
import type { Decisions } from '../decisions/decisions.ts'
import type { ExternalEvent, ExternalEvents } from '../events/externalEvents.ts'
import { errorFields, type Logger } from '../logging.ts'

export interface InputWorkOptions {
  readonly worklist: Worklist
  readonly events: ExternalEvents
  readonly decisions: Decisions
  readonly handle: (input: AgentInput, signal: AbortSignal) => Promise<AgentOutput>
  /** Whose business a webhook's source speaks for. */
  readonly businessOf: (source: string) => string
  /** Turns due schedules into inputs; resolves with when the next one is due. */
  readonly runDue: (now: number) => Promise<number | null>
  /** Actions may be due. */
  readonly onDecided: () => void
  readonly clock: Clock
  readonly logger: Logger
}

export interface InputWork {
  wake(): void
  /** What is being decided is given up, and decided after the next start. */
  stop(): Promise<void>
}

const AT_ONCE = 20
const LONGEST_SLEEP_MS = 30_000
const ATTEMPTS = 6
const BACKOFF_MS = 2_000
const passing: ReadonlySet<string> = new Set(['unavailable', 'timeout', 'rate_limited', 'internal'])

/** A webhook's event as an input: what it says in words is its text, everything is its data. Pure. */
export function inputOfEvent({ source, eventId, type, body, receivedAt }: ExternalEvent, businessId: string): AgentInput {
  const data = JSON.parse(body) as Record<string, unknown>
  const words = ['text', 'message', 'title', 'description'].map((name) => data[name]).filter((value) => typeof value === 'string')
  const short = Object.fromEntries(Object.entries(data).filter(([name]) => name.length <= 128))
  return {
    id: eventId,
    source: 'webhook',
    businessId,
    type: cleanText(type).slice(0, 200) || `${source}.event`,
    content: { text: cleanText(words.join('\n')).slice(0, LONGEST_INPUT_TEXT), data: short, metadata: { source } },
    timestamp: receivedAt,
    correlationId: eventId
  }
}

/** Starts at once. The caller stops it. */
export function startInputWork(options: InputWorkOptions): InputWork {
  const { worklist, events, decisions, handle, businessOf, runDue, onDecided, clock, logger } = options
  const stopping = new AbortController()
  const { signal } = stopping
  let isWoken = true
  let ring = (): void => undefined

  const drainEvents = async (): Promise<boolean> => {
    const waiting = await events.waiting(AT_ONCE)
    for (const event of waiting) {
      // Accepted twice is once, so dying between the two steps costs nothing.
      await worklist.accept(agentInputSchema.parse(inputOfEvent(event, businessOf(event.source))), clock.now())
      await events.settle(event.eventId, clock.now())
    }
    return waiting.length === AT_ONCE
  }

  const decide = async ({ input, attempts }: WorkItem): Promise<void> => {
    try {
      await handle(input, signal)
      onDecided()
    } catch (thrown) {
      if (signal.aborted) return
      const error = toCopilotError(thrown)
      if (error.code === 'internal') logger.error({ inputId: input.id, ...errorFields(thrown) }, 'input.bug')
      const isOver = !passing.has(error.code) || attempts + 1 >= ATTEMPTS
      const retryAt = isOver ? null : clock.now() + Math.max(BACKOFF_MS * 2 ** attempts, error.retryAfterMs ?? 0)
      await worklist.undecided(input.id, error.message, retryAt)
      logger.warn({ inputId: input.id, code: error.code, attempts: attempts + 1, isOver }, 'input.undecided')
    }
  }

  const tell = async (): Promise<void> => {
    for (const item of await worklist.untold(AT_ONCE)) {
      const { input, output, state } = item
      if (output === null || state === 'waiting' || state === 'failed') continue
      const { id, businessId, userId, type, content } = input
      const { decisionCode, decisionType, confidence } = output
      const summary = `${type} ${content.text}`.slice(0, 2_000).toWellFormed()
      const decision = { id: output.id, businessId, inputId: id, inputType: type, decisionCode, decisionType, confidence, outcome: state, summary }
      await decisions.put({ ...decision, ...(userId === undefined ? {} : { userId }), decidedAt: item.decidedAt ?? clock.now() })
      await worklist.told(id, clock.now())
    }
  }

  /** Resolves with how long nothing is to be done. */
  const round = async (): Promise<number> => {
    const areMore = await drainEvents()
    const next = await runDue(clock.now())
    const waiting = await worklist.waiting(clock.now(), AT_ONCE)
    for (const item of waiting) {
      if (signal.aborted) return 0
      await decide(item)
    }
    await tell()
    if (areMore || waiting.length === AT_ONCE) return 0
    return Math.min(waiting.length > 0 ? BACKOFF_MS : LONGEST_SLEEP_MS, next === null ? LONGEST_SLEEP_MS : Math.max(0, next - clock.now()))
  }

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      isWoken = false
      const pause = await round().catch((error: unknown) => {
        logger.error(errorFields(error), 'inputs.round')
        return BACKOFF_MS
      })
      if (isWoken || signal.aborted) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause)
        ring = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  const running = run()
  return {
    wake() {
      isWoken = true
      ring()
    },
    async stop() {
      stopping.abort(new CopilotError('cancelled', 'The service stops.'))
      ring()
      await running
    }
  }
}
