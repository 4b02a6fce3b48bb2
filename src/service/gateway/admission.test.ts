// What is a question, what is refused and with which code, and how errors look on each wire.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CopilotError, errorCodes, errorTable, type ErrorCode } from '../../shared/errors.ts'
import { MAX_QUESTION_LENGTH, questionSchema } from '../../shared/turn.ts'
import { ERROR_TRAILER } from '../../shared/wire/grpc.ts'
import { aiErrorSchema } from '../../shared/wire/socket.ts'
import { admit, DEFAULT_SESSION, type RawQuestion } from './admission.ts'
import { toGrpcStatus, toRestError, toSocketError } from './foreignErrors.ts'

const anna = { userId: 'anna', role: 'user', expiresAt: null }
const id = '0190a000-0000-7000-8000-000000000000'
const newId = (): string => id
const take = (raw: Partial<RawQuestion>) => admit({ message: 'What is S3?', ...raw }, anna, newId)

describe('admit', () => {
  it('takes what a base client sends and gives the turn an id', () => {
    expect(take({ userId: '', sessionId: '', turnId: '', quickAction: '', context: {}, afterSeq: 0 })).toEqual({
      question: { turnId: id, sessionId: DEFAULT_SESSION, text: 'What is S3?', context: {} },
      afterSeq: 0,
      isNamed: false
    })
  })

  it('takes what our own client sends', () => {
    const turnId = '0190A000-0000-7000-8000-00000000000F'
    expect(
      take({ userId: 'anna', sessionId: 's', turnId, quickAction: 'cost', context: { client: 'N', seats: 5, live: true, gone: null }, afterSeq: 3 })
    ).toEqual({
      question: {
        turnId: turnId.toLowerCase(),
        sessionId: 's',
        text: 'What is S3?',
        context: { client: 'N', seats: '5', live: 'true' },
        quickAction: 'cost'
      },
      afterSeq: 3,
      isNamed: true
    })
  })

  it('makes odd text harmless', () => {
    expect(take({ message: ' \u0000a\r\nb\ud800\u202e ' }).question.text).toBe('a\nb\ufffd')
    expect(take({ message: '<script>alert(1)</script>' }).question.text).toBe('<script>alert(1)</script>')
    expect(take({ message: 'x'.repeat(MAX_QUESTION_LENGTH) }).question.text).toHaveLength(MAX_QUESTION_LENGTH)
  })

  it.each<[Partial<RawQuestion>, ErrorCode]>([
    [{ message: '' }, 'invalid_request'],
    [{ message: ' \u0000\n' }, 'invalid_request'],
    [{ message: undefined }, 'invalid_request'],
    [{ message: 5 }, 'invalid_request'],
    [{ message: 'x'.repeat(MAX_QUESTION_LENGTH + 1) }, 'context_too_large'],
    [{ message: 'x'.repeat(200_000) }, 'context_too_large'],
    [{ message: 'x'.repeat(900_000) }, 'context_too_large'],
    [{ context: 'text' }, 'context_invalid'],
    [{ context: ['a'] }, 'context_invalid'],
    [{ context: { a: { b: 1 } } }, 'context_invalid'],
    [{ context: { a: 'x'.repeat(4_001) } }, 'context_too_large'],
    [{ context: { ['k'.repeat(129)]: 'x' } }, 'context_too_large'],
    [{ context: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [n, 'x'])) }, 'context_too_large'],
    [{ sessionId: 'x'.repeat(129) }, 'invalid_request'],
    [{ sessionId: 7 }, 'invalid_request'],
    [{ turnId: 'not-a-uuid' }, 'invalid_request'],
    [{ quickAction: 'dance' }, 'invalid_request'],
    [{ afterSeq: -1 }, 'invalid_request'],
    [{ afterSeq: 1.5 }, 'invalid_request'],
    [{ afterSeq: '3' }, 'invalid_request'],
    [{ userId: 'bob' }, 'forbidden'],
    [{ userId: { $ne: '' } }, 'invalid_request']
  ])('refuses %# with its code', (raw, code) => {
    expect(() => take(raw)).toThrow(expect.objectContaining({ name: 'CopilotError', code }))
  })

  it('gives a valid question or an expected refusal for anything at all', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            message: fc.anything(),
            context: fc.anything(),
            userId: fc.anything(),
            sessionId: fc.anything(),
            turnId: fc.anything(),
            afterSeq: fc.anything(),
            quickAction: fc.anything()
          },
          { requiredKeys: [] }
        ),
        (raw) => {
          const outcome = ((): unknown => {
            try {
              return questionSchema.safeParse(take(raw).question).success
            } catch (error) {
              return error instanceof CopilotError ? true : error
            }
          })()
          expect(outcome).toBe(true)
        }
      ),
      { numRuns: 500 }
    )
  })

  it('never lets a context entry reach an object’s prototype', () => {
    const { context } = take({ context: JSON.parse('{"__proto__": "x", "constructor": "y"}') }).question
    expect(Object.getPrototypeOf(context)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })
})

describe('errors on the wires', () => {
  const failure = (code: ErrorCode): CopilotError =>
    new CopilotError(code, 'Größe “zu” \u{1F600}\n groß', { retryAfterMs: 1_500, details: { field: 'x' } })

  it.each(errorCodes)('%s keeps its code everywhere', (code) => {
    const grpc = toGrpcStatus(failure(code), 'c-1')
    expect(grpc.code).toBe(errorTable[code].grpc)
    const trailer = String(grpc.metadata.get(ERROR_TRAILER)[0])
    expect(trailer).toMatch(/^[\x20-\x7e]+$/)
    expect(CopilotError.fromWire(JSON.parse(trailer))).toMatchObject({
      code,
      message: failure(code).message,
      retryAfterMs: 1_500,
      correlationId: 'c-1'
    })
    const rest = toRestError(failure(code), 'c-1')
    expect(rest).toEqual({
      status: errorTable[code].http,
      body: {
        error: { code: errorTable[code].foreign, message: failure(code).message, details: { field: 'x' }, retry_after: 2, correlation_id: 'c-1' }
      }
    })
    const socket = aiErrorSchema.parse(toSocketError(failure(code), { correlationId: 'c-1', turnId: 't' }))
    expect(socket).toMatchObject({ code: errorTable[code].ws ?? 4001, turn_id: 't', retry_after: 2, error: { code } })
  })

  it('let nothing out of a bug', () => {
    const bug = new TypeError('secret')
    expect(JSON.stringify([toGrpcStatus(bug, 'c').details, toRestError(bug, 'c'), toSocketError(bug, { correlationId: 'c' })])).not.toContain(
      'secret'
    )
    expect(toRestError(bug, 'c')).toMatchObject({ status: 500, body: { error: { code: 'INTERNAL_ERROR', correlation_id: 'c' } } })
  })
})
