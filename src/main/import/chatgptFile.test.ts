// Conversations as ChatGPT exports them, in the shapes that were seen between 2023 and 2026, and in some that nobody should see.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { chatgptConversation as talk } from '../../../test/fakes/chatgptExport.ts'
import { recordLine, recordSchema, type HistoryRecord, type RecordOf } from '../history/records.ts'
import { chatgptConversation } from './chatgptFile.ts'
import { createRemarks } from './remarks.ts'

// A busy machine takes its time.
vi.setConfig({ testTimeout: 30_000 })

function convert(value: unknown): {
  readonly records: HistoryRecord[]
  readonly session: RecordOf<'session'> | undefined
  readonly texts: string[]
  readonly remarks: string[]
} {
  const remarks = createRemarks()
  const records = chatgptConversation(value, remarks) ?? []
  return {
    records,
    session: records.find((record) => record.kind === 'session'),
    texts: records.flatMap((record) => (record.kind === 'message' ? [`${record.role}: ${record.text}`] : [])),
    remarks: remarks.sentences()
  }
}

describe('a conversation', () => {
  it('reads a real-shaped export: tools, pictures, hidden notes, another branch', () => {
    const [conversation] = JSON.parse(readFileSync('test/fixtures/import/conversations.json', 'utf8')) as unknown[]
    const { session, texts, remarks } = convert(conversation)
    expect(session).toMatchObject({
      title: 'Sizing a landing zone',
      createdAt: 1_714_550_400_123,
      status: 'active',
      customFields: { 'Imported from': 'ChatGPT', Models: 'gpt-4o', 'Custom GPT': 'g-abc123' }
    })
    expect(texts).toEqual([
      'user: [File: sizes.csv, not imported]\n\n[Image: not imported]\n\nHow many accounts do we need?',
      'assistant: ```python\nprint(3 * 4)\n```',
      'assistant: ```\n12\n```',
      'assistant: Twelve accounts, as AWS describes.'
    ])
    expect(remarks).toEqual([
      '1 conversation has edited questions or regenerated answers: the last version is imported, the others stay in the file.',
      "2 images, recordings and files can't be imported; a note stands in the place of each.",
      '3 messages that ChatGPT did not show (instructions, reasoning, tools) will be left out.'
    ])
  })
  it('follows the branch that was shown, not the others', () => {
    const edited = talk('c', [
      { text: 'First words' },
      { text: 'Old answer' },
      { text: 'Other words', role: 'user', parent: 0 },
      { text: 'New answer' }
    ])
    expect(convert(edited).texts).toEqual(['user: First words', 'user: Other words', 'assistant: New answer'])
  })
  it('takes a leaf where the last node is not named', () => {
    expect(convert(talk('c', [{ text: 'A' }, { text: 'B' }], { current_node: 'gone' })).texts).toEqual(['user: A', 'assistant: B'])
  })
  it('names itself by its first question where it has no title', () => {
    expect(convert(talk('c', [{ text: `  What\nis ${'long '.repeat(40)}` }], { title: null })).session?.title).toMatch(/^What is long .{30,60}…$/)
  })
  it('has the same ids each time, whoever reads it, and others in another conversation', () => {
    const ids = (value: unknown): string[] => convert(value).records.flatMap((record) => ('id' in record ? [record.id] : []))
    expect(ids(talk('c', [{}, {}]))).toEqual(ids(talk('c', [{}, {}])))
    expect(ids(talk('c', [{}, {}])).filter((id) => ids(talk('d', [{}, {}])).includes(id))).toEqual([])
    expect(ids(talk('7', [{}], { id: 7, conversation_id: 7 }))[0]).toBe(ids(talk('7', [{}]))[0])
  })
  it('keeps archived ones archived', () => {
    expect(convert(talk('c', [{}], { is_archived: true })).session?.status).toBe('archived')
  })
})

describe('times', () => {
  it('takes fractions of seconds, and the time before where there is none that can be', () => {
    const times = [1_700_000_000.5, null, -5, 1e15, Number.MAX_VALUE, 0].map((at) => ({ at }))
    const { records, remarks } = convert(talk('c', times))
    expect(records.flatMap((record) => (record.kind === 'message' ? [record.createdAt] : []))).toEqual([
      ...Array.from({ length: 5 }, () => 1_700_000_000_500),
      0
    ])
    expect(remarks).toEqual(['4 messages have no usable date and will get the date of the message before.'])
  })
})

describe('hostile conversations', () => {
  it('keeps scripts, control characters and broken Unicode as harmless text', () => {
    const { texts } = convert(
      talk('c', [{ text: '<script>alert(1)</script>\u0000\ud800\u202e' }, { text: 'So \uE200cite\uE202turn0search1\uE201it is.' }])
    )
    expect(texts).toEqual(['user: <script>alert(1)</script>\ufffd', 'assistant: So it is.'])
  })
  it('ends in a tree that bites its tail', () => {
    const value = talk('c', [{ text: 'A' }, { text: 'B' }]) as { mapping: Record<string, { parent: string }> }
    const first = value.mapping['c-n0']
    if (first) first.parent = 'c-n1'
    expect(convert(value).texts).toEqual(['user: A', 'assistant: B'])
  })
  it('knows no prototype', () => {
    const value = JSON.parse(JSON.stringify(talk('c', [{ text: 'A' }])).replace('"title"', '"__proto__":{"title":"evil"},"title"')) as unknown
    expect(convert(value).session?.title).toBe('Conversation c')
    expect(({} as { title?: string }).title).toBeUndefined()
  })
  it('closes code with a fence that the code does not hold', () => {
    expect(convert(talk('c', [{ content: { content_type: 'code', language: 'x"><b>', text: '````\nend' } }])).texts).toEqual([
      'user: `````\n````\nend\n`````'
    ])
  })
  it('cuts a message of more than ten million characters, and says so', () => {
    const { texts, remarks } = convert(talk('c', [{ text: 'x'.repeat(10_000_001) }]))
    expect(texts[0]?.length).toBeLessThan(10_000_100)
    expect(texts[0]).toMatch(/the message was longer\.\]$/)
    expect(remarks).toEqual(['1 message is longer than 10,000,000 characters and will be cut there.'])
  })
  it('makes valid records of anything, or none', () => {
    const junk = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' })
    const node = fc.record(
      {
        parent: fc.oneof(fc.constantFrom('a', 'b', 'c'), junk),
        children: junk,
        message: fc.oneof(
          junk,
          fc.record({
            author: fc.oneof(junk, fc.record({ role: fc.constantFrom('user', 'assistant', 'tool', 'system') })),
            content: fc.oneof(
              junk,
              fc.record({
                content_type: fc.constantFrom('text', 'code', 'multimodal_text', 'tether_quote', 'thoughts', 'new'),
                parts: fc.array(junk, { maxLength: 3 }),
                text: junk
              })
            ),
            create_time: fc.oneof(fc.double(), junk),
            metadata: junk
          })
        )
      },
      { requiredKeys: [] }
    )
    const conversation = fc.record(
      {
        mapping: fc.oneof(junk, fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), node)),
        title: junk,
        current_node: fc.oneof(fc.constantFrom('a', 'b'), junk),
        id: junk,
        create_time: fc.oneof(fc.double(), junk),
        update_time: fc.double(),
        gizmo_id: junk
      },
      { requiredKeys: [] }
    )
    fc.assert(
      fc.property(fc.oneof(conversation, junk), (value) => {
        for (const record of convert(value).records) recordSchema.parse(JSON.parse(recordLine(record)))
      }),
      { numRuns: 200 }
    )
  }, 30_000)
})
