// Lines of the log: events, fields and ids; whatever slips in of a person or a key is taken out.
import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createLogger, errorFields, scrubFields } from './logging.ts'

function kept() {
  const lines: Record<string, unknown>[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>)
      done()
    }
  })
  return { lines, logger: createLogger(stream) }
}

describe('log', () => {
  it('holds neither personal data nor keys, however deep', () => {
    const { lines, logger } = kept()
    const key = ['AKIA', 'ABCDEFGH23456724'].join('')
    logger.warn({ reason: 'mail to anna@example.com failed', nested: { list: [`key ${key}`, 7, null, true] }, [`x anna@example.com`]: 1 }, 'x.failed')
    expect(lines[0]).toMatchObject({
      level: 'warn',
      msg: 'x.failed',
      reason: 'mail to [email] failed',
      nested: { list: ['key [AWS key removed]', 7, null, true] },
      'x [email]': 1
    })
    expect(JSON.stringify(lines)).not.toContain('anna@')
  })

  it('keeps ids, times and addresses of machines as they are', () => {
    const fields = { turnId: '0198c5f0-0000-7000-8000-000000000001', at: 1_790_000_000_000, grpc: '127.0.0.1:50051', took: 1.25 }
    expect(scrubFields(fields)).toEqual(fields)
  })

  it('bears what can’t be written: cycles, depth, long text', () => {
    const cyclic: Record<string, unknown> = { name: 'a' }
    cyclic['self'] = cyclic
    expect(JSON.stringify(scrubFields(cyclic)).length).toBeLessThan(2_000)
    expect(String(scrubFields({ text: 'x'.repeat(100_000) })['text']).length).toBeLessThan(2_100)
  })

  it('tells of an error its kind and place, never its words', () => {
    const fields = JSON.stringify(errorFields(new TypeError('the client Northwind said no')))
    expect(fields).toContain('TypeError')
    expect(fields).not.toContain('Northwind')
  })
})
