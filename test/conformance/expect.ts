// What every conversation checks the same way.
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { CurlAnswer } from './world.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The specified error body, with its correlation id repeated in the header. */
export function isRestError(answer: CurlAnswer, status: number, code: string): void {
  const { error, ...others } = answer.json() as { error: Record<string, unknown> }
  deepEqual([answer.status, error['code']], [status, code])
  deepEqual(others, {})
  match(String(error['correlation_id']), UUID)
  ok(typeof error['message'] === 'string' && error['message'] !== '', 'there is no message')
  ok(typeof error['details'] === 'object' && error['details'] !== null, 'there are no details')
  if (status === 503 || status === 429) ok(typeof error['retry_after'] === 'number' && error['retry_after'] > 0, 'retry_after is missing')
  equal(answer.headers['x-correlation-id'], error['correlation_id'])
}

/** The data of an `error` event. */
export function isSocketError(data: unknown, code: number, errorType: string): void {
  const told = data as Record<string, unknown>
  deepEqual([told['code'], told['errorType']], [code, errorType], JSON.stringify(told))
  ok(typeof told['message'] === 'string' && told['message'] !== '', 'there is no message')
}

export function isText(value: unknown): asserts value is string {
  ok(typeof value === 'string' && value !== '', `expected text and got ${JSON.stringify(value)}`)
}

export function isIso(value: unknown): void {
  match(String(value), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
}

/** Unix ms of about now. */
export function isNow(value: unknown): void {
  ok(typeof value === 'number' && Math.abs(value - Date.now()) < 60_000, `expected a moment of about now and got ${JSON.stringify(value)}`)
}

export function hasKeys(value: unknown, ...keys: string[]): void {
  deepEqual(Object.keys(value as object).toSorted(), keys.toSorted())
}
