import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anthropicCodec } from './anthropic.undici.ts'
import { MalformedAnswer, type AnswerReader, type AnswerSink, type Codec } from './codec.ts'
import { fieldsOf, parseJson, textOf } from './json.ts'
import { openAiCodec } from './openai.undici.ts'
import { createTextTemplates } from './textTemplate.ts'

/** A small protocol of its own, so that it can be counted what was parsed. */
function plainReader(): AnswerReader & { readonly parsed: string[] } {
  const parsed: string[] = []
  return {
    parsed,
    read(data, sink) {
      parsed.push(data)
      const fields = fieldsOf(parseJson(data))
      if (fields === null) throw new MalformedAnswer('not an event')
      const delta = fieldsOf(fields['delta'])
      if (delta !== null) sink.text(textOf(delta['content']) + textOf(delta['refusal']))
      if (textOf(fields['finish']) !== '') sink.finish('stop')
      const usage = fieldsOf(fields['usage'])
      if (usage !== null) sink.usage({ inputTokens: 1, outputTokens: Object.keys(usage).length, cachedTokens: 0 })
      if (fields['thought'] !== undefined) sink.alive()
    }
  }
}

/** All that is heard of some events, up to the one that breaks the answer. */
function heard(reader: AnswerReader, events: readonly string[]): unknown[] {
  const all: unknown[] = []
  const sink: AnswerSink = {
    text: (text) => all.push(['text', text]),
    alive: () => all.push(['alive']),
    usage: (usage) => all.push(['usage', usage]),
    finish: (reason) => all.push(['finish', reason]),
    end: () => all.push(['end'])
  }
  try {
    for (const event of events) reader.read(event, sink)
  } catch (error) {
    all.push(['error', error instanceof Error ? error.message : error])
  }
  return all
}

const names = { text: 'content', padding: 'obfuscation', stamps: ['id', 'created'] }
const setup = { name: 'x', keySetting: 'K', modelSetting: 'M', urlSetting: 'U' }
const piece = (content: string, more: object = {}): string => JSON.stringify({ id: 'c1', delta: { content }, usage: null, ...more })

describe('a template of text events', () => {
  it('parses the first piece of an answer, tries it once, and parses no other that differs in its text alone', () => {
    const reader = plainReader()
    const events = ['Har', 'bor', ' 🚢', ', d’accord?'].map((text) => piece(text))
    expect(heard(createTextTemplates(names)(reader), events)).toEqual(heard(plainReader(), events))
    expect(reader.parsed).toHaveLength(2)
  })

  it('passes over the padding that hides how long a text is', () => {
    const reader = plainReader()
    const events = ['a', 'bcd', 'ef'].map((text, index) => piece(text, { obfuscation: 'x'.repeat(5 - index) }))
    expect(heard(createTextTemplates(names)(reader), events)).toEqual([
      ['text', 'a'],
      ['text', 'bcd'],
      ['text', 'ef']
    ])
    expect(reader.parsed).toHaveLength(2)
  })

  it('parses a piece whose text is not written plainly, and goes on with its template after it', () => {
    const reader = plainReader()
    const events = ['one', 'say "two"\n', '', 'back\\slash', 'three', 'four'].map((text) => piece(text))
    expect(heard(createTextTemplates(names)(reader), events)).toEqual(heard(plainReader(), events))
    expect(reader.parsed.filter((data) => data.includes('three') || data.includes('four'))).toEqual([])
  })

  it('parses no piece of the next answers of an upstream, though their ids and times differ', () => {
    const templated = createTextTemplates(names)
    const answers = ['a', 'b', 'c'].map((id, index) => ['Har', 'bor'].map((text) => piece(text, { id, created: 1_700_000_000 + index })))
    const readers = answers.map(() => plainReader())
    expect(answers.map((events, index) => heard(templated(readers[index] ?? plainReader()), events))).toEqual(
      answers.map((events) => heard(plainReader(), events))
    )
    expect(readers.map(({ parsed }) => parsed.length)).toEqual([2, 0, 0])
  })

  it.each([
    ['an id that leaves its string', { id: 'a' }, '"id":"a"', '"id":"a","finish":"stop"'],
    ['a time that is no number', { created: 1 }, '"created":1', '"created":null'],
    ['a number that JSON does not have', { created: 1 }, '"created":1', '"created":01'],
    ['a number with something behind', { created: 1 }, '"created":1', '"created":1,"finish":"stop"'],
    ['a time that is none of its own', { created: 1 }, '"created":1', '"created":1.5']
  ])('is not deceived by %s', (_name, more, from, to) => {
    const templated = createTextTemplates(names)
    const events = [piece('x', more), piece('y', more).replace(from, to)]
    heard(templated(plainReader()), [piece('Har', more), piece('bor', more)])
    expect(events[1]).not.toBe(piece('y', more))
    expect(heard(templated(plainReader()), events)).toEqual(heard(plainReader(), events))
  })

  it('takes up a new form when the upstream changes to one', () => {
    const reader = plainReader()
    const events = ['1', '2', '3', '4', '5', '6'].map((text, index) => piece(text, index < 3 ? {} : { tier: 'a' }))
    expect(heard(createTextTemplates(names)(reader), events)).toEqual(heard(plainReader(), events))
    expect(reader.parsed).toHaveLength(4)
  })

  it('keeps nothing of an event in memory but its text', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const reader = createTextTemplates({ text: 'content' })(plainReader())
    const kept: string[] = []
    const sink = { text: (text: string) => kept.push(text) } as unknown as AnswerSink
    const read = (nth: number): void =>
      reader.read(`{"id":"${'x'.repeat(20_000)}","delta":{"content":"a text of more than a few letters ${nth}"}}`, sink)
    for (let nth = 0; nth < 10; nth += 1) read(nth)
    collect()
    const before = process.memoryUsage().heapUsed
    for (let nth = 0; nth < 1_000; nth += 1) read(nth)
    collect()
    expect(kept).toHaveLength(1_010)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000)
  })

  it('stops trying where every event differs in more than its text', () => {
    const reader = plainReader()
    const events = Array.from({ length: 50 }, (_, index) => piece('word', { nth: index }))
    expect(heard(createTextTemplates(names)(reader), events)).toHaveLength(50)
    expect(reader.parsed).toHaveLength(50 + 3)
  })

  it.each([
    [
      'a text that stands somewhere else too',
      '{"id":{"content":"Har"},"delta":{"content":"Har"}}',
      '{"id":{"content":"x"},"delta":{"content":"Har"}}'
    ],
    ['a field named twice', '{"delta":{"content":"Har","content":"Har"}}', '{"delta":{"content":"x","content":"Har"}}'],
    ['a text of two parts', '{"delta":{"content":"Har","refusal":"bor"}}', '{"delta":{"content":"x","refusal":"bor"}}'],
    ['a piece that ends the answer', '{"delta":{"content":"Har"},"finish":"stop"}', '{"delta":{"content":"x"},"finish":"stop"}'],
    ['a piece with a thought', '{"delta":{"content":"Har"},"thought":1}', '{"delta":{"content":"x"},"thought":1}'],
    [
      'a look-alike inside a string',
      String.raw`{"a":"\"content\":\"Har\"","delta":{"refusal":"Har"}}`,
      String.raw`{"a":"\"content\":\"x\"","delta":{"refusal":"y"}}`
    ],
    ['a piece that is cut', piece('Har'), piece('x').slice(0, -1)],
    ['a piece with something behind', piece('Har'), `${piece('x')}}`],
    ['text that leaves its string', piece('Har'), piece('x').replace('"x"', '"x","refusal":"y"')],
    ['a control character in a string', piece('Har'), piece('x').replace('"x"', '"x\ty"')],
    ['padding that leaves its string', piece('Har', { obfuscation: 'a' }), piece('x', { obfuscation: 'a' }).replace('"a"', '"a","finish":"stop"')]
  ])('is not deceived by %s', (_name, first, then) => {
    const events = [first, first, then, then]
    expect(heard(createTextTemplates(names)(plainReader()), events)).toEqual(heard(plainReader(), events))
  })

  it('hears of any chunks, whole, damaged or hostile, what the codec itself hears', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('Har', '"', '\\', '\n', '\ud800', '","refusal":"', 'any text', '')
    )
    const openai = fc
      .record({
        stamp: fc.record({ id: fc.constantFrom('c1', 'c2', 'c"'), created: fc.constantFrom(1, 17, 0, 1e21) }),
        delta: fc.oneof(fc.record({ content: word }), fc.record({ content: word, refusal: word })),
        finish_reason: fc.option(fc.constantFrom('stop', 'length'), { freq: 8 }),
        obfuscation: fc.option(word, { nil: undefined })
      })
      .map(({ stamp, delta, finish_reason, obfuscation }) =>
        JSON.stringify({ ...stamp, choices: [{ index: 0, delta, finish_reason }], usage: null, obfuscation })
      )
    const anthropic = word.map((text) => JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }))
    /** Put in place of some characters somewhere. */
    const damage = fc.record({
      at: fc.nat(200),
      length: fc.nat(6),
      by: fc.oneof(fc.constantFrom('"', '\\', '}', ' ', '\n', '"content":"Har"', '\\"', 'null', ':'), fc.string({ maxLength: 4 }))
    })
    const damaged = (chunk: fc.Arbitrary<string>) =>
      fc
        .tuple(chunk, fc.option(damage, { freq: 4 }))
        .map(([data, harm]) => (harm === null ? data : data.slice(0, harm.at) + harm.by + data.slice(harm.at + harm.length)))
    const same = (makeCodec: () => Codec, chunk: fc.Arbitrary<string>): void =>
      fc.assert(
        fc.property(fc.array(fc.array(damaged(chunk), { maxLength: 8 }), { maxLength: 3 }), (answers) => {
          const { reader } = makeCodec()
          for (const events of answers) expect(heard(reader(), events)).toEqual(heard(unread(makeCodec), events))
        }),
        { numRuns: 500 }
      )
    same(() => openAiCodec(setup, true), openai)
    same(() => anthropicCodec(setup), anthropic)
  }, 30_000)
})

/** Parses each event, because none of its readers has seen one before. */
function unread(makeCodec: () => Codec): AnswerReader {
  return { read: (data, sink) => makeCodec().reader().read(data, sink) }
}
