// What every dialect does first: reads who asks and what, cleans it, and refuses what is not a question. Limits by rate
// and budget come in here.
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { NewId } from '../../shared/kit/clock.ts'
import { cleanText } from '../../shared/kit/text.ts'
import { MAX_QUESTION_LENGTH, quickActions, type Question } from '../../shared/turn.ts'
import { requireSameUser, type Caller } from '../auth/caller.ts'

/**
 * Largest message taken on any wire, in bytes: the largest valid question (32,000 and 64 × 4,128 characters of context, at
 * most three bytes each) fits, and what is too long for a question still gets its sentence instead of a cut connection.
 */
export const MAX_MESSAGE_BYTES = 1_048_576
const MAX_CONTEXT_ENTRIES = 64
const MAX_CONTEXT_KEY = 128
const MAX_CONTEXT_VALUE = 4_000

/** The conversation of a client that names no session. */
export const DEFAULT_SESSION = 'default'

/** A question as dialects hand it in: nothing about it is known. */
export interface RawQuestion {
  readonly message: unknown
  readonly context?: unknown
  readonly userId?: unknown
  readonly sessionId?: unknown
  readonly turnId?: unknown
  readonly afterSeq?: unknown
  readonly quickAction?: unknown
}

export interface Admitted {
  readonly question: Question
  readonly afterSeq: number
  /** True when the client gave the turn its id: then only a cancel ends it, not the end of the call. */
  readonly isNamed: boolean
}

const UUID = z.regexes.uuid()

/** Throws `invalid_request`, `context_invalid`, `context_too_large` or `forbidden`. */
export function admit(raw: RawQuestion, caller: Caller, newId: NewId): Admitted {
  requireSameUser(caller, optionalText(raw.userId, 'user_id', Number.POSITIVE_INFINITY))
  const turnId = optionalText(raw.turnId, 'turn_id', 64)?.toLowerCase()
  if (turnId !== undefined && !UUID.test(turnId)) throw invalid('turn_id', 'turn_id must be a UUID. Leave it out to get one.')
  const quickAction = optionalText(raw.quickAction, 'quick_action', 64)
  const action = quickActions.find((known) => known === quickAction)
  if (quickAction !== undefined && action === undefined) throw invalid('quick_action', `quick_action must be one of ${quickActions.join(', ')}.`)
  return {
    question: {
      turnId: turnId ?? newId(),
      sessionId: optionalText(raw.sessionId, 'session_id', 128) ?? DEFAULT_SESSION,
      text: messageText(raw.message),
      context: contextEntries(raw.context),
      ...(action === undefined ? {} : { quickAction: action })
    },
    afterSeq: positionOf(raw.afterSeq),
    isNamed: turnId !== undefined
  }
}

function messageText(raw: unknown): string {
  if (typeof raw !== 'string') throw invalid('message', 'The message must be text.')
  if (raw.length > MAX_QUESTION_LENGTH * 8) throw tooLong(raw.length)
  const text = cleanText(raw).trim()
  if (text === '') throw invalid('message', 'The question is empty. Write something and ask again.')
  if (text.length > MAX_QUESTION_LENGTH) throw tooLong(text.length)
  return text
}

function tooLong(length: number): CopilotError {
  return new CopilotError(
    'context_too_large',
    `The question has ${length} characters; at most ${MAX_QUESTION_LENGTH} are taken. Shorten it, or ask in parts.`,
    { details: { field: 'message' } }
  )
}

/** Text entries; numbers and truth values are taken as text. */
function contextEntries(raw: unknown): Record<string, string> {
  if (raw === undefined || raw === null) return {}
  if (typeof raw !== 'object' || Array.isArray(raw)) throw contextInvalid('The context must be an object of texts.')
  const entries = Object.entries(raw)
  if (entries.length > MAX_CONTEXT_ENTRIES)
    throw contextTooLarge(`The context has ${entries.length} entries; at most ${MAX_CONTEXT_ENTRIES} are taken.`)
  const context: [string, string][] = []
  for (const [rawKey, value] of entries) {
    if (value === null || value === undefined) continue
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw contextInvalid('A context entry is not text. Send every entry as one text.')
    }
    const key = cleanText(rawKey)
    const text = cleanText(String(value))
    if (key.length > MAX_CONTEXT_KEY) throw contextTooLarge(`A name in the context is longer than ${MAX_CONTEXT_KEY} characters.`)
    if (text.length > MAX_CONTEXT_VALUE) throw contextTooLarge(`A context entry is longer than ${MAX_CONTEXT_VALUE} characters. Shorten it.`)
    context.push([key, text])
  }
  return Object.fromEntries(context)
}

function optionalText(raw: unknown, field: string, longest: number): string | undefined {
  if (raw === undefined || raw === null || raw === '') return undefined
  if (typeof raw !== 'string') throw invalid(field, `${field} must be text.`)
  const text = cleanText(raw).trim()
  if (text.length > longest) throw invalid(field, `${field} is longer than ${longest} characters.`)
  return text === '' ? undefined : text
}

function positionOf(raw: unknown): number {
  if (raw === undefined || raw === null) return 0
  if (typeof raw !== 'number' || !Number.isSafeInteger(raw) || raw < 0) throw invalid('after_seq', 'after_seq must be a whole number from 0.')
  return raw
}

function invalid(field: string, message: string): CopilotError {
  return new CopilotError('invalid_request', message, { details: { field } })
}
function contextInvalid(message: string): CopilotError {
  return new CopilotError('context_invalid', message, { details: { field: 'context' } })
}
function contextTooLarge(message: string): CopilotError {
  return new CopilotError('context_too_large', message, { details: { field: 'context' } })
}
