// Failures of every wire, back into the one table.
import { describe, expect, test } from 'vitest'
import { CopilotError } from '../../shared/errors.ts'
import { fromConnect, fromGrpc, fromSocket } from './wireErrors.ts'

const grpc = (code: number, details = '', trailer: string | null = null): CopilotError => fromGrpc({ code, details, trailer })

describe('fromGrpc', () => {
  test('believes the trailer before the status', () => {
    const error = new CopilotError('budget_exhausted', 'Über Budget.', { resetAt: 5, details: { a: 'b' } })
    expect(grpc(8, 'x', JSON.stringify(error.toWire())).toWire()).toEqual(error.toWire())
  })
  test('falls back to the status when the trailer is not ours', () => {
    expect(grpc(8, 'x', 'not json').code).toBe('rate_limited')
    expect(grpc(3, 'x', '{"code":"unheard_of","message":""}').code).toBe('invalid_request')
  })
  test('takes a lost connection for offline, and a fault of the service for internal', () => {
    expect([grpc(14), grpc(1), grpc(13, 'Received RST_STREAM with code 2')].map(({ code }) => code)).toEqual(['offline', 'offline', 'offline'])
    expect([grpc(13, 'Exception iterating responses'), grpc(2), grpc(99)].map(({ code }) => code)).toEqual(['internal', 'internal', 'internal'])
  })
  test('shows the peer’s words without control characters, and not at any length', () => {
    const { message } = grpc(7, `\u001b[31mno\u0000 ${'x'.repeat(5_000)}`)
    expect(message).not.toContain('\u001b')
    expect(message.length).toBeLessThan(500)
  })
})

describe('fromSocket', () => {
  test.each([
    [{ code: 4001, message: 'm' }, 'unavailable'],
    [{ code: 4002, message: 'm' }, 'invalid_request'],
    [{ code: 4003, message: 'm', retry_after: 2.5 }, 'rate_limited'],
    [{ code: 4004, message: 'm' }, 'context_invalid'],
    [{ code: 1008, message: 'm' }, 'unauthenticated'],
    [{ code: 4999, message: 'm' }, 'unavailable'],
    [{ error: { code: 4002, message: 'm' } }, 'invalid_request'],
    [{ error: 'just words' }, 'unavailable'],
    ['just words', 'unavailable'],
    [null, 'unavailable'],
    [[1, 2], 'unavailable'],
    [{ ok: false, error: 7 }, 'unavailable']
  ])('%j is %s', (payload, code) => {
    expect(fromSocket(payload).code).toBe(code)
  })
  test('keeps our own error whole, and a foreign one’s wait in ms', () => {
    const wire = new CopilotError('refused', 'Nein.', { details: { rule: 'x' } }).toWire()
    expect(fromSocket({ code: 4002, message: 'Nein.', error: wire }).toWire()).toEqual(wire)
    expect(fromSocket({ code: 4003, message: 'm', retry_after: 2.5 }).retryAfterMs).toBe(2_500)
  })
})

const refused = (message: string, more: object = {}): Error => Object.assign(new Error(message), more)

describe('fromConnect', () => {
  test('tells a refused sign-in from a door that is closed', () => {
    expect(fromConnect(refused('authentication failed'), true).code).toBe('unauthenticated')
    expect(fromConnect(refused('server full'), true).code).toBe('unavailable')
    expect(fromConnect(refused('xhr poll error', { description: 401 }), false).code).toBe('unauthenticated')
    expect(fromConnect(refused('websocket error', { description: { message: 'Unexpected server response: 403' } }), false).code).toBe(
      'unauthenticated'
    )
    expect(fromConnect(refused('websocket error', { description: { message: 'ECONNREFUSED 127.0.0.1:4010' } }), false).code).toBe('offline')
  })
  test('believes our own error in its data', () => {
    expect(fromConnect(refused('no', { data: { code: 'forbidden', message: 'Not yours.' } }), true).toWire()).toEqual({
      code: 'forbidden',
      message: 'Not yours.'
    })
  })
})
