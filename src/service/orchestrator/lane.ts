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
  /** Hangs up. Safe after the end. */
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
  /** Of the answer. */
  readonly signal: AbortSignal
  readonly now: () => number
  /** After `stop` nothing more is heard. */
  readonly onEvent: (event: LaneEvent) => void
}

export function startLane({ request, signal, now, onEvent, ...facts }: LaneOptions): Lane {
  const controller = new AbortController()
  const { provider } = facts.seat.member
  let isStopped = false
  let isOver = false
  // By hand: a signal made of two costs more than all that is told through it.
  const leave = (): void => controller.abort(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()

  const run = async (): Promise<void> => {
    const tell = (event: LaneEvent): void => {
      if (!isStopped) onEvent(event)
    }
    try {
      for await (const part of provider.stream(request, controller.signal)) {
        if (part.type === 'usage') {
          const { type: _type, ...usage } = part
          lane.usage = usage
          lane.usageCovers = lane.heard.length
        } else if (part.type === 'text') {
          lane.firstTextMs ??= now() - lane.startedAt
          lane.heard += part.text
          tell({ type: 'text', lane, text: part.text })
        } else {
          tell({ type: 'finish', lane, reason: part.reason })
          return
        }
      }
      tell({ type: 'failed', lane, error: undefined })
    } catch (error) {
      tell({ type: 'failed', lane, error: toProviderFailure(error, provider.name) })
    } finally {
      isOver = true
      signal.removeEventListener('abort', leave)
    }
  }

  const lane: Lane = {
    ...facts,
    heard: '',
    usage: null,
    usageCovers: 0,
    firstTextMs: null,
    stop() {
      isStopped = true
      if (!isOver) controller.abort(OVER)
    },
    ended: Promise.resolve()
  }
  return Object.assign(lane, { ended: run() })
}
