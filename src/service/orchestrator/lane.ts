// One attempt at an answer: a provider's stream, read as fast as it comes and told to the relay event by event.
import type { FinishReason } from '../../shared/turn.ts'
import type { ProviderRequest, ProviderUsage } from '../providers/provider.ts'
import { toProviderFailure } from './failurePolicy.ts'
import type { Seat } from './fleet.ts'
import type { Seam } from './seam.ts'

/** Made once: an abort without a reason makes an error with a stack trace for each attempt that is over. */
const OVER = new Error('this attempt is over')

export interface Lane {
  readonly attemptId: string
  readonly seat: Seat
  readonly seam: Seam
  /** Unix ms. */
  readonly startedAt: number
  readonly inputTokens: number
  /** Everything it said, repetitions too. */
  heard: string
  usage: ProviderUsage | null
  /** Length of `heard` when the usage was last told. */
  usageCovers: number
  firstTextMs: number | null
  /** Hangs up for this reason; what it ends with is heard. Safe after the end. */
  hangUp(reason: unknown): void
  /** Hangs up, and nothing more is heard. Safe after the end. */
  stop(): void
  /** Resolves when the stream is closed. */
  readonly ended: Promise<void>
}

export type LaneEvent =
  | { readonly type: 'text'; readonly lane: Lane; readonly text: string }
  | { readonly type: 'finish'; readonly lane: Lane; readonly reason: FinishReason }
  /** `error` undefined: it ended without saying why. */
  | { readonly type: 'failed'; readonly lane: Lane; readonly error: unknown }

export interface LaneOptions extends Pick<Lane, 'attemptId' | 'seat' | 'seam' | 'startedAt' | 'inputTokens'> {
  readonly request: ProviderRequest
  readonly now: () => number
  /** After `stop` nothing more is heard. */
  readonly onEvent: (event: LaneEvent) => void
}

/** Who starts it ends it, when the answer is stopped too: a signal made of others costs more than all that is told through it. */
export function startLane({ request, now, onEvent, ...facts }: LaneOptions): Lane {
  const controller = new AbortController()
  const { provider } = facts.seat.member
  let isStopped = false
  let isOver = false
  const hangUp = (reason: unknown): void => {
    if (!isOver) controller.abort(reason)
  }
  const end = (event: LaneEvent): void => {
    isOver = true
    if (!isStopped) onEvent(event)
  }

  const run = async (): Promise<void> => {
    try {
      for await (const part of provider.stream(request, controller.signal)) {
        if (part.type === 'usage') {
          const { type: _type, ...usage } = part
          lane.usage = usage
          lane.usageCovers = lane.heard.length
        } else if (part.type === 'text') {
          lane.firstTextMs ??= now() - lane.startedAt
          lane.heard += part.text
          if (!isStopped) onEvent({ type: 'text', lane, text: part.text })
        } else {
          // Nothing is left to hang up on: a provider that has said so is closed by being left.
          return end({ type: 'finish', lane, reason: part.reason })
        }
      }
      end({ type: 'failed', lane, error: undefined })
    } catch (error) {
      end({ type: 'failed', lane, error: toProviderFailure(error, provider.name) })
    }
  }

  const lane: Lane = {
    ...facts,
    heard: '',
    usage: null,
    usageCovers: 0,
    firstTextMs: null,
    hangUp,
    stop() {
      isStopped = true
      hangUp(OVER)
    },
    ended: Promise.resolve()
  }
  return Object.assign(lane, { ended: run() })
}
