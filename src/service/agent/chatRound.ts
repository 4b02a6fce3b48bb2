// The chats that one run of the graph carries. A run costs half a millisecond whatever it does, so it stays open for a moment and all
// who come meanwhile join it; each has a signal, a context and an outcome of its own, and nobody waits for a neighbour's end.
import type { FinishReason } from '../../shared/turn.ts'
import type { AgentTurn, AnswerOptions } from './agent.ts'

export type AnswerChat = (turn: AgentTurn, options: AnswerOptions) => Promise<FinishReason>

/** What a run carries. */
export interface ChatRound {
  /** The node's part: has everybody answered who is in the round or joins it. Resolves once it is closed and the last has ended; never rejects. */
  serve(answer: AnswerChat): Promise<void>
}

export interface ChatRounds {
  /** Resolves or rejects as this chat ends. */
  readonly join: AnswerChat
}

/** So long a run takes chats in: at most four runs a second. */
const OPEN_MS = 250

/**
 * From one start to the next at least: so much for each chat that is under way, and no more than `LONGEST_PACE_MS`. Chats that start
 * together find code and data warm and share commits and wake-ups: a tenth less work for the whole service. Few wait for little, and
 * one that is alone for nothing.
 */
const PACE_MS_PER_CHAT = 0.25
const LONGEST_PACE_MS = 20

export interface ChatRoundsOptions {
  readonly openMs?: number
  /** In ms, only differences count. */
  readonly monotonic?: () => number
}

/** `run` takes a round through the graph; when it rejects, those that have not ended fail with its error. */
export function createChatRounds(
  run: (round: ChatRound) => Promise<unknown>,
  { openMs = OPEN_MS, monotonic = () => performance.now() }: ChatRoundsOptions = {}
): ChatRounds {
  let open: OwnRound | null = null
  /** Those that start next. */
  let waiting: (() => void)[] = []
  let lastStart = Number.NEGATIVE_INFINITY
  /** Chats that have not ended. */
  let live = 0

  const begin = (): OwnRound => {
    const round = createRound()
    const end = (error: unknown): void => {
      clearTimeout(closing)
      close()
      round.fail(error)
    }
    const close = (): void => {
      if (open === round) open = null
      round.close()
    }
    const closing = setTimeout(close, openMs)
    // Only chats keep a process alive, not their round.
    closing.unref()
    run(round).then(() => end(new Error('A run of the graph ended before its chats.')), end)
    return round
  }

  const start = (): void => {
    const all = waiting
    waiting = []
    lastStart = monotonic()
    for (const go of all) go()
  }
  const turnToStart = (): Promise<void> =>
    new Promise((resolve) => {
      if (waiting.push(resolve) > 1) return
      const pauseMs = lastStart + Math.min(LONGEST_PACE_MS, (live - 1) * PACE_MS_PER_CHAT) - monotonic()
      if (pauseMs > 0) setTimeout(start, pauseMs)
      else setImmediate(start)
    })

  return {
    async join(turn, options) {
      live += 1
      try {
        await turnToStart()
        return await (open ??= begin()).join(turn, options)
      } finally {
        live -= 1
      }
    }
  }
}

interface OwnRound extends ChatRound {
  readonly join: AnswerChat
  /** Nobody joins any more. */
  close(): void
  /** Ends those that have not ended. */
  fail(error: unknown): void
}

function createRound(): OwnRound {
  const served = Promise.withResolvers<AnswerChat>()
  const emptied = Promise.withResolvers<void>()
  /** From when the graph has come to the node. */
  let serving: AnswerChat | null = null
  /** How each that has not ended is told of a failure. */
  const live = new Set<(error: unknown) => void>()
  let isClosed = false

  return {
    join(turn, options) {
      const { promise, resolve, reject } = Promise.withResolvers<FinishReason>()
      const leave = (): void => {
        live.delete(reject)
        if (isClosed && live.size === 0) emptied.resolve()
      }
      live.add(reject)
      // Answered from here and not from the run, so that what is done for this chat belongs to its own question (see correlation.ts).
      const answered = serving === null ? served.promise.then((answer) => answer(turn, options)) : serving(turn, options)
      answered.then(
        (finish) => {
          leave()
          resolve(finish)
        },
        (error: unknown) => {
          leave()
          reject(error)
        }
      )
      return promise
    },
    async serve(answer) {
      serving = answer
      served.resolve(answer)
      await emptied.promise
    },
    close() {
      isClosed = true
      if (live.size === 0) emptied.resolve()
    },
    fail(error) {
      for (const reject of live) reject(error)
      live.clear()
      emptied.resolve()
    }
  }
}
