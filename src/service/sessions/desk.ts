// The desk of chat sessions and threads: a message is kept, then asked of the turn broker, in the order of its session, until it
// has its answer, whatever happens to the model, the connection or this process in between. Dialects only write and listen.
import { CopilotError, errorTable, toCopilotError } from '../../shared/errors.ts'
import { backoffMs } from '../../shared/kit/backoff.ts'
import type { Clock, NewId, Random } from '../../shared/kit/clock.ts'
import type { Question } from '../../shared/turn.ts'
import type { Caller } from '../auth/caller.ts'
import { aloneFanout, type Fanout } from '../fanout/fanout.ts'
import { errorFields, type Logger } from '../logging.ts'
import type { TurnBroker } from '../turns/broker.ts'
import { createBoard, type Answer, type DeskListener, type Owner } from './board.ts'
import type { ChatMessage, PendingMessage, SessionKey, Sessions } from './sessions.ts'
import { supportOf } from './support.ts'

export interface Letter {
  readonly key: SessionKey
  /** The client's own id of the message: the same one twice is one message. */
  readonly messageId: string
  /** With the turn id to ask it under. */
  readonly question: Question
}

export interface Desk {
  readonly sessions: Sessions
  /**
   * Resolves when the message is durable. Throws `conflict` (its id was used for other words), `not_found` (no such session),
   * `rate_limited` (too much waits already), `unavailable` (the store refuses).
   */
  write(caller: Caller, letter: Letter): Promise<ChatMessage>
  /** What becomes of the owner's messages, whichever process answers them; until the result is called. */
  listen(owner: Owner, listener: DeskListener): () => void
  /** Stops what is being answered in a session and removes it; false: there is no such session. */
  remove(caller: Caller, key: SessionKey): Promise<boolean>
  /** After a start, and from time to time where others share the sessions: takes up every message that nobody asks. Returns how many. */
  resume(): Promise<number>
  /** Lets go of everything; what waits stays kept. */
  stop(): Promise<void>
}

export interface DeskOptions {
  readonly sessions: Sessions
  readonly broker: TurnBroker
  /** To the other processes of the service; there are none when it is not named. */
  readonly fanout?: Fanout
  /** Whether anybody could answer now. */
  readonly isReady: (signal: AbortSignal) => Promise<boolean>
  readonly clock: Clock
  readonly newId: NewId
  readonly random: Random
  readonly logger: Logger
  /** The wait before asking again, first and longest. */
  readonly retry?: { readonly baseMs: number; readonly capMs: number }
}

/** Messages of one person that may wait at a time. */
const MOST_PENDING = 100
const RETRY = { baseMs: 500, capMs: 10_000 }
/** Between two looks whether another process is done with what comes before. */
const LOOK_AGAIN_MS = 250
/** Messages after one among which its answer is looked for. */
const LOOKED_AT = 50

interface Tried {
  /** The turn is over. */
  readonly hasEnded: boolean
  /** From 1. */
  readonly tries: number
}

interface Work {
  readonly controller: AbortController
  /** Ends when everything of the session so far has been answered. */
  readonly tail: Promise<void>
}

export function createDesk(options: DeskOptions): Desk {
  const { sessions, broker, fanout = aloneFanout, isReady, clock, newId, random, logger, retry = RETRY } = options
  const stopping = new AbortController()
  const { tell, listen } = createBoard(fanout)
  /** By session: messages of one session are answered one after the other, sessions side by side. */
  const works = new Map<string, Work>()
  /** What is in `works`, by message. */
  const taken = new Set<string>()
  /** Sessions that are being deleted: nothing new begins in them, or it would lose its turn while it is answered. */
  const removing = new Set<string>()

  /** One attempt; `ended` is called when its turn has failed for good. Throws what it failed with. */
  const attempt = async (message: PendingMessage, signal: AbortSignal, ended: () => void): Promise<void> => {
    const about = { key: message, replyTo: message.messageId }
    const startedAt = clock.now()
    const turn = await broker.open(message.caller, message.question)
    const { messageId } = turn
    tell({ ...about, type: 'answering', messageId })
    let text = ''
    let model: string | null = null
    for await (const event of turn.events({ signal })) {
      if (event.type === 'delta') {
        text += event.text
        tell({ ...about, type: 'piece', messageId, text: event.text })
      } else if (event.type === 'status') tell({ ...about, type: 'stage', messageId, stage: event.stage, progress: event.progress ?? 0 })
      else if (event.type === 'usage') model = event.model === '' ? event.provider : event.model
      else if (event.type === 'failed') {
        ended()
        throw CopilotError.fromWire(event.error)
      } else if (event.type === 'done') {
        const { userId, kind, sessionId } = message
        const details = { replyTo: message.messageId, model, support: supportOf(text), processingMs: Math.max(0, clock.now() - startedAt) }
        const answer: Answer = {
          userId,
          kind,
          sessionId,
          messageId,
          role: 'assistant',
          content: text,
          createdAt: event.at,
          state: 'unread',
          answer: details
        }
        if (await sessions.answer(answer)) tell({ ...about, type: 'answered', answer })
        else tell({ ...about, type: 'failed', error: deleted() })
        return
      }
    }
    throw new CopilotError('unavailable', 'The answer ended before it was complete.')
  }

  /** What to do after a failure; the message to ask next, or null when there is nothing more to do. */
  const afterFailure = async (message: PendingMessage, failure: CopilotError, { hasEnded, tries }: Tried): Promise<PendingMessage | null> => {
    const about = { key: message, replyTo: message.messageId }
    const rule = errorTable[failure.code].retry
    if (rule !== 'backoff' && rule !== 'outbox') {
      await sessions.fail(message)
      tell({ ...about, type: 'failed', error: failure })
      return null
    }
    // Once for each outage: that the next attempt fails too is no news.
    if (tries === 1) tell({ ...about, type: 'waiting', error: withRetry(failure, retry.baseMs) })
    if (!hasEnded) return message
    // A turn that has failed has ended: the next attempt is another one.
    const turnId = newId()
    await sessions.askAgain(message, turnId)
    return { ...message, question: { ...message.question, turnId } }
  }

  /** `mine`: this process is to ask it. `over`: another one has, and its answer was told. `left`: neither, when the signal was aborted. */
  const claim = async (message: PendingMessage, signal: AbortSignal): Promise<'mine' | 'over' | 'left'> => {
    for (;;) {
      const claimed = await sessions.claim(message)
      if (claimed === 'mine') return 'mine'
      if (claimed === 'over') {
        const since = await sessions.after(message, message.messageId, LOOKED_AT)
        const found = since.find(({ answer: details }) => details?.replyTo === message.messageId)
        if (found?.answer !== undefined)
          tell({ key: message, replyTo: message.messageId, type: 'answered', answer: { ...found, answer: found.answer } })
        return 'over'
      }
      await pause(LOOK_AGAIN_MS, signal)
      if (signal.aborted) return 'left'
    }
  }

  const answer = async (first: PendingMessage, signal: AbortSignal): Promise<void> => {
    let message: PendingMessage | null = first
    for (let tries = 1; message !== null && !signal.aborted; tries += 1) {
      let hasEnded = false
      try {
        const claimed = await claim(message, signal)
        if (claimed === 'over') return
        if (claimed === 'left') break
        if (!(await isReady(signal))) throw new CopilotError('unavailable', 'No model can be reached just now.')
        await attempt(message, signal, () => (hasEnded = true))
        return
      } catch (error) {
        if (signal.aborted) break
        const failure = toCopilotError(error)
        if (failure.code === 'internal') logger.error({ turnId: message.question.turnId, ...errorFields(error) }, 'desk.bug')
        message = await afterFailure(message, failure, { hasEnded, tries })
        if (message !== null) await pause(backoffMs(tries, random, { ...retry, retryAfterMs: failure.retryAfterMs }), signal)
      }
    }
    // It stays kept; whoever waits for its answer here would wait for ever, and the service for them.
    if (message !== null && stopping.signal.aborted) tell({ key: message, replyTo: message.messageId, type: 'waiting', error: restarting('') })
  }

  const enqueue = (message: PendingMessage): void => {
    const name = sessionName(message)
    const own = messageName(message)
    taken.add(own)
    const present = works.get(name)
    const controller = present?.controller ?? new AbortController()
    const signal = AbortSignal.any([controller.signal, stopping.signal])
    const run = async (): Promise<void> => {
      await present?.tail
      await answer(message, signal)
    }
    const tail = run()
      .catch((error: unknown) => logger.error({ messageId: message.messageId, ...errorFields(error) }, 'desk.lost'))
      .finally(() => {
        taken.delete(own)
        if (works.get(name)?.tail === tail) works.delete(name)
      })
    works.set(name, { controller, tail })
  }

  const removeSession = async (caller: Caller, owned: SessionKey): Promise<boolean> => {
    const name = sessionName(owned)
    const work = works.get(name)
    const waiting = (await sessions.pending(caller.userId)).filter((message) => sessionName(message) === name)
    work?.controller.abort()
    await work?.tail
    for (const { question } of waiting) await broker.cancel(caller, question.turnId)
    const isRemoved = await sessions.remove(owned)
    // Whoever waits for these answers would wait for ever.
    for (const message of waiting) tell({ key: owned, replyTo: message.messageId, type: 'failed', error: deleted() })
    return isRemoved
  }

  return {
    sessions,
    async write(caller, { key, messageId, question }) {
      if (stopping.signal.aborted) throw restarting(' Send the message again in a moment.')
      if ((await sessions.pendingCount(caller.userId)) >= MOST_PENDING) {
        throw new CopilotError('rate_limited', `${MOST_PENDING} of your messages wait for their answers already. Wait for some of them.`, {
          retryAfterMs: 5_000
        })
      }
      const message: PendingMessage = {
        userId: caller.userId,
        kind: key.kind,
        sessionId: key.sessionId,
        messageId,
        role: 'user',
        content: question.text,
        createdAt: clock.now(),
        state: 'pending',
        caller,
        question
      }
      const name = sessionName(message)
      if (removing.has(name)) throw deleted()
      const kept = await sessions.keep(message)
      if (kept === message) {
        if ((await sessions.find(message)) === null || removing.has(name)) throw deleted()
        enqueue(message)
      } else if (kept.content !== question.text || kept.sessionId !== key.sessionId || kept.role !== 'user') {
        throw new CopilotError('conflict', 'This message id was already used for other words. Send the message with a new one.')
      }
      return kept
    },
    listen,
    async remove(caller, key) {
      const owned = { ...key, userId: caller.userId }
      const name = sessionName(owned)
      removing.add(name)
      try {
        return await removeSession(caller, owned)
      } finally {
        removing.delete(name)
      }
    },
    async resume() {
      const waiting = (await sessions.orphans()).filter((message) => !taken.has(messageName(message)))
      if (stopping.signal.aborted) return 0
      for (const message of waiting) enqueue(message)
      return waiting.length
    },
    async stop() {
      stopping.abort()
      await Promise.all([...works.values()].map(({ tail }) => tail))
    }
  }
}

function sessionName({ userId, kind, sessionId }: SessionKey): string {
  return JSON.stringify([userId, kind, sessionId])
}

function messageName({ userId, kind, messageId }: Pick<ChatMessage, 'userId' | 'kind' | 'messageId'>): string {
  return JSON.stringify([userId, kind, messageId])
}

function withRetry(error: CopilotError, waitMs: number): CopilotError {
  return error.retryAfterMs === undefined ? CopilotError.fromWire({ ...error.toWire(), retryAfterMs: waitMs }) : error
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}

function restarting(advice: string): CopilotError {
  return new CopilotError('unavailable', `The service is restarting.${advice}`, { retryAfterMs: 1_000 })
}

function deleted(): CopilotError {
  return new CopilotError('not_found', 'The session was deleted before this message was answered. Nothing of it was kept.', {
    details: { field: 'session_id' }
  })
}
