// The closed table and the one class.
import { describe, expect, it } from 'vitest'
import { CopilotError, errorCodes, errorTable, toCopilotError, wireErrorSchema } from './errors.ts'

describe('errors', () => {
  it('has one row for every code', () => {
    expect(Object.keys(errorTable).toSorted()).toEqual([...errorCodes].toSorted())
  })
  it('keeps everything across a wire', () => {
    for (const code of errorCodes) {
      const error = new CopilotError(code, 'What happened.', { retryAfterMs: 5, resetAt: 7, details: { field: 'text' }, correlationId: 'c' })
      expect(CopilotError.fromWire(wireErrorSchema.parse(error.toWire())).toWire()).toEqual(error.toWire())
    }
  })
  it('never lets the text of a bug out', () => {
    const bug = toCopilotError(new TypeError('secret of the house'))
    expect(bug.code).toBe('internal')
    expect(JSON.stringify(bug.toWire())).not.toContain('secret')
    expect((bug.cause as Error).message).toBe('secret of the house')
  })
  it('takes an abort for what it is', () => {
    expect(toCopilotError(new DOMException('Aborted', 'AbortError')).code).toBe('cancelled')
  })
})
