import { describe, expect, test } from 'vitest'
import { numbered } from '../../../test/fakes/transport.ts'
import type { TurnEventBody } from '../../shared/turn.ts'
import { createAnswerPrinter, dollars, safeJson } from './answerPrinter.ts'

const usage: TurnEventBody = {
  type: 'usage',
  provider: 'openai',
  model: 'gpt',
  inputTokens: 1_200,
  outputTokens: 56,
  cachedTokens: 1_000,
  costMicros: 1_234,
  firstTextMs: 4.25,
  totalMs: 1_800.4,
  failovers: 1
}
function print(bodies: readonly TurnEventBody[], json = false): { out: string; note: string } {
  const printer = createAnswerPrinter('t', json)
  const printed = numbered('t', bodies).map((event) => printer.take(event))
  return { out: printed.map(({ out }) => out).join(''), note: printed.map(({ note }) => note).join('') }
}
const done: TurnEventBody = { type: 'done', messageId: 'm', finish: 'stop' }

describe('the printed answer', () => {
  test('is the text as it comes, then citations, provider, tokens, cost and latency', () => {
    const { out, note } = print([
      { type: 'accepted', messageId: 'm' },
      { type: 'status', stage: 'searching' },
      { type: 'delta', text: 'It costs ' },
      { type: 'delta', text: 'little [1].' },
      { type: 'citation', n: 1, title: 'Prices', source: 'AWS', date: '2026-01-01', url: 'https://aws.amazon.com' },
      { type: 'citation', n: 2, title: 'Guide', source: '' },
      { type: 'notice', kind: 'failover', text: 'Answered by B after A failed.' },
      usage,
      done
    ])
    expect(out).toBe(
      'It costs little [1].\n\nAnswered by B after A failed.\n\n[1] Prices (AWS, as of 2026-01-01) https://aws.amazon.com\n[2] Guide\n\n' +
        'Provider: openai · gpt | tokens: 1,200 in (1,000 cached), 56 out | cost: $0.001234 | first text: 4.3 ms, total: 1,800 ms | failovers: 1\n'
    )
    expect(note).toBe('')
  })
  test('ends with one line end when there is nothing to add', () => {
    expect(print([{ type: 'delta', text: 'yes' }, done]).out).toBe('yes\n')
    expect(print([{ type: 'delta', text: 'yes\n' }, done]).out).toBe('yes\n')
    expect(print([done]).out).toBe('')
  })
  test('keeps what arrived before a failure, and tells the failure apart from it', () => {
    expect(
      print([
        { type: 'delta', text: 'half' },
        { type: 'failed', error: { code: 'unavailable', message: 'Broke.' } }
      ])
    ).toEqual({ out: 'half\n', note: 'Broke.\n' })
    expect(print([{ type: 'failed', error: { code: 'refused', message: 'No.' } }])).toEqual({ out: '', note: 'No.\n' })
  })
  test('says when it waits, and when it was cut at the model’s limit', () => {
    expect(print([{ type: 'queued', reason: 'two before you' }]).note).toBe('Waiting: two before you\n')
    expect(
      print([
        { type: 'delta', text: 'x' },
        { ...done, finish: 'length' }
      ]).out
    ).toContain('cut at the model')
  })
  test('never lets a command reach the terminal', () => {
    const evil = '\u001b]0;title\u0007\u001b[2J\u009b31m\u0000\u202etxt'
    const bodies: TurnEventBody[] = [
      { type: 'delta', text: evil },
      { type: 'notice', kind: 'local', text: evil },
      { type: 'citation', n: 1, title: evil, source: evil, url: evil },
      { ...usage, provider: evil, model: `${evil}\nsecond line` },
      { type: 'failed', error: { code: 'internal', message: evil } }
    ]
    for (const json of [false, true]) {
      const { out, note } = print(bodies, json)
      // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
      expect(out + note).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
    }
  })
  test('is not printed twice when an event comes twice', () => {
    const printer = createAnswerPrinter('t', false)
    const [event] = numbered('t', [{ type: 'delta', text: 'once' }])
    expect([printer.take(event!).out, printer.take(event!).out]).toEqual(['once', ''])
  })
})

test('as JSON: one event a line, each as it came', () => {
  const bodies: TurnEventBody[] = [{ type: 'accepted', messageId: 'm' }, { type: 'delta', text: 'a\n😀' }, usage, done]
  const lines = print(bodies, true).out.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(numbered('t', bodies))
  expect(JSON.parse(safeJson({ a: '\u009b\ud800' }))).toEqual({ a: '\u009b\ud800' })
})

test('dollars are exact', () => {
  expect([0, 1, 10_000, 123_400, 1_000_000, 1_234_567_890, 10].map(dollars)).toEqual([
    '$0.00',
    '$0.000001',
    '$0.01',
    '$0.1234',
    '$1.00',
    '$1,234.56789',
    '$0.00001'
  ])
})
