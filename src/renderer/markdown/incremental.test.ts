// Streaming Markdown must end where parsing at once ends, whatever the pieces were.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { advanceMarkdown, emptyMarkdown, parseMarkdown, type MarkdownText } from './incremental.ts'
import type { BlockNode } from './nodes.ts'

const fragments = [
  'Multi-AZ keeps a standby', ' in another zone', '\n', '\n\n', '\r\n', '\r', '# ', '#', '## Heading', '- ', '- item', '  - nested', '1. ', '2. two', '> quote', '```', '```sql\nselect 1;\n```',
  '    indented', '| a | b |', '|---|---:|', '| 1 | 20 % |', '---', '===', '**bold', '**', '_em_', '`code`', '[1]', '[12]', '[x](https://example.com)', '[r]: https://example.com', '[r]',
  'https://aws.amazon.com/rds/', '![alt](https://example.com/a.png)', '<script>alert(1)</script>', '&amp;', '\\', '\u0000', '\uD83D', '\uDE00', '😀', '\t', ' ', '   ', '~~~', '* * *', '+ plus', '10) ten'
] // prettier-ignore

const document = fc.array(
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...fragments) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) }),
  { maxLength: 40 }
)

function stream(pieces: readonly string[]): MarkdownText {
  let state = emptyMarkdown
  let text = ''
  for (const piece of pieces) {
    text += piece
    state = advanceMarkdown(state, text)
  }
  return state
}

function split(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length))
}

describe('advanceMarkdown', () => {
  it('ends in the tree of parsing at once, for any text in any pieces', () => {
    fc.assert(
      fc.property(document, fc.array(fc.nat(), { maxLength: 30 }), (parts, cuts) => {
        const text = parts.join('')
        const state = stream(split(text, cuts))
        expect([...state.finished, ...state.open]).toEqual(parseMarkdown(text))
      }),
      { numRuns: 2_000 }
    )
  })

  it('ends in the tree of parsing at once when every character comes alone', () => {
    fc.assert(
      fc.property(document, (parts) => {
        const text = parts.join('')
        // UTF-16 units, not code points: a pair may be cut in two.
        const state = stream(text.split(''))
        expect([...state.finished, ...state.open]).toEqual(parseMarkdown(text))
      }),
      { numRuns: 500 }
    )
  })

  it('does not call a `#` a heading for good before its line is complete', () => {
    const state = stream(['para\n#', 'x', '\nmore\nlines\n'])
    expect([...state.finished, ...state.open]).toEqual(parseMarkdown('para\n#x\nmore\nlines\n'))
  })

  it('does not call a table a table for good before its second line is complete', () => {
    const state = stream(['para\n| a | b |\n|---|---|', 'x', '\n\nmore\nlines\n'])
    expect([...state.finished, ...state.open]).toEqual(parseMarkdown('para\n| a | b |\n|---|---|x\n\nmore\nlines\n'))
  })

  it('keeps the identity of finished blocks, so that React skips them', () => {
    const before = stream(['One.\n\nTwo.\n\nThree', '\n\nFour\nfive\n'])
    const after = advanceMarkdown(before, `${before.text}six`)
    expect(before.finished.length).toBeGreaterThan(0)
    for (const [index, block] of before.finished.entries()) expect(after.finished[index]).toBe(block)
  })

  it('parses only the open end again', () => {
    const long = Array.from({ length: 400 }, (_, index) => `Paragraph ${index} has two\nlines of text.`).join('\n\n')
    const state = advanceMarkdown(emptyMarkdown, long)
    expect(state.text.length - state.openStart).toBeLessThan(200)
  })

  it('starts anew when the text is another one', () => {
    const state = advanceMarkdown(stream(['# One\n\nTwo\nthree\n']), 'Other')
    expect([...state.finished, ...state.open]).toEqual(parseMarkdown('Other'))
  })
})

const only = (source: string): BlockNode | undefined => parseMarkdown(source)[0]?.node

describe('parseMarkdown', () => {
  it('keeps HTML as text', () => {
    expect(only('<img src=x onerror=alert(1)>')).toEqual({ type: 'paragraph', children: [{ type: 'text', text: '<img src=x onerror=alert(1)>' }] })
  })
  it('makes no link of a script address', () => {
    expect(JSON.stringify(only('[run](javascript:alert(1)) and [data](data:text/html,x) and [file](file:///etc/passwd)'))).not.toContain('"link"')
  })
  it('finds citation markers in text, not in code or links', () => {
    expect(only('Standby [1][2] `x[3]` [see [4]](https://example.com)')).toEqual({
      type: 'paragraph',
      children: [
        { type: 'text', text: 'Standby ' },
        { type: 'citation', n: 1 },
        { type: 'citation', n: 2 },
        { type: 'text', text: ' ' },
        { type: 'code', text: 'x[3]' },
        { type: 'text', text: ' ' },
        {
          type: 'link',
          href: 'https://example.com',
          children: [
            { type: 'text', text: 'see ' },
            { type: 'text', text: '[4]' }
          ]
        }
      ]
    })
  })
  it('aligns a column of figures to the right', () => {
    const table = only('| Tier | Price |\n|---|---|\n| Standard | $0.023 GB |\n| Glacier | $0.0036 GB |')
    expect(table).toMatchObject({ type: 'table', align: ['left', 'right'] })
  })
  it('survives deep nesting and 200 kB in one block', () => {
    expect(parseMarkdown('> '.repeat(5_000) + 'x').length).toBeGreaterThan(0)
    expect(parseMarkdown('*a'.repeat(100_000)).length).toBe(1)
  })
})
