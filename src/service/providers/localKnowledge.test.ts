// The local answer says what the knowledge base says, where it says it, and no more.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { QuickAction } from '../../shared/turn.ts'
import { blocksOf, extract } from './extract.ts'
import { answer, createLocalKnowledge, NOTHING_FOUND, pieces } from './localKnowledge.ts'
import type { CitedPassage, ConversationMessage, ProviderRequest } from './provider.ts'

const passage = (part: Partial<CitedPassage>): CitedPassage => ({
  id: 'a#0',
  slug: 'a',
  title: 'Harbor',
  heading: '',
  text: 'Harbor keeps objects. It is cheap.',
  provider: 'aws',
  topic: 'storage',
  source: 's',
  url: 'https://example.com',
  date: '2025-01-01',
  relevance: 1,
  n: 1,
  ...part
})
const ask = (part: Partial<ProviderRequest['material']> & { quickAction?: QuickAction; history?: ConversationMessage[] } = {}): string => {
  const { quickAction, history = [], ...material } = part
  return answer({ question: 'q', quickAction, history, prompt: [], material: { passages: [], terms: [], estimate: [], sources: [], ...material } })
}
const terms = [
  { forms: ['archive'], weight: 3 },
  { forms: ['hour'], weight: 1 }
]

describe('local knowledge', () => {
  it('says plainly that it has nothing', () => {
    expect(ask()).toBe(NOTHING_FOUND)
  })

  it('opens with the line that says most, or with what the thing is, each with its source', () => {
    const passages = [
      passage({
        id: 'a#1',
        heading: 'Classes',
        text: '- Choose Frozen for archives; a restore takes twelve hours.\n- Choose Warm for daily use.\n- Does the client know?',
        n: 2
      }),
      passage({})
    ]
    const text = ask({ passages, terms })
    expect(text.split('\n')[0]).toBe('Choose Frozen for archives; a restore takes twelve hours. [2]')
    expect(ask({ passages, terms: [{ forms: ['harbor'], weight: 3 }] }).split('\n')[0]).toBe('Harbor keeps objects. [1]')
    expect(text).not.toContain('Does the client know?')
  })

  it('cites every line it takes', () => {
    const lines = ask({ passages: [passage({ text: 'One thing.\n\n- Two archives.\n- Three archives.' })], terms }).split('\n')
    for (const line of lines.filter((l) => l !== '')) expect(line).toMatch(/\[\d\]$/)
  })

  it('gives a computed cost as it is', () => {
    expect(ask({ estimate: ['**$5.00 per month**: x.', 'table'], passages: [passage({})] })).toBe('**$5.00 per month**: x.\n\ntable')
  })

  it('says what a cost needs when none could be computed', () => {
    expect(ask({ quickAction: 'cost' })).toContain('name what is used')
  })

  it.each(['clarify', 'counter', 'check-number'] as const)('says that %s needs a model, and gives what there is', (quickAction) => {
    const text = ask({ quickAction, passages: [passage({})] })
    expect(text).toContain('needs a language model')
    expect(text).toContain('Harbor keeps objects. [1]')
  })

  it('summarises by quoting, without the old citation numbers', () => {
    const history: ConversationMessage[] = [
      { role: 'user', text: 'What is Harbor?' },
      { role: 'assistant', text: '**Harbor** keeps objects. [1]\n\n- More. [2]' },
      { role: 'user', text: 'And Pigeon?' }
    ]
    expect(ask({ quickAction: 'summarise', history })).toMatch(/- What is Harbor\? — Harbor keeps objects\.\n- And Pigeon\?$/)
    expect(ask({ quickAction: 'summarise' })).toContain('nothing to summarise')
  })

  it('waits between its pieces only for one who reads along', async () => {
    const provider = createLocalKnowledge(60_000)
    const request = { question: 'q', quickAction: undefined, history: [], prompt: [], delivery: 'whole' } as const
    const material = { passages: [passage({ text: 'One thing.\n\n- Two archives.\n- Three archives.' })], terms, estimate: [], sources: [] }
    const texts: string[] = []
    for await (const part of provider.stream({ ...request, material }, new AbortController().signal)) if (part.type === 'text') texts.push(part.text)
    expect(texts.length).toBeGreaterThan(1)
  })

  it('comes in pieces that join to the whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '.', '!', ' ', '\n', '[1]', '- ', '| ') }), (text) => {
        expect(pieces(text).join('')).toBe(text)
      })
    )
    expect(pieces('One. [1]\n\n- Two. [2]\n- Three. [1]').length).toBe(3)
  })
})

describe('extract', () => {
  it('takes tables whole and long ones not at all', () => {
    const table = '| a | b |\n| - | - |\n| archive | 2 |'
    expect(extract([passage({ text: `Opening.\n\n${table}` })], terms).table?.text).toBe(table)
    expect(blocksOf(`| a |\n${'| x |\n'.repeat(50)}`)).toEqual([])
  })

  it('splits sentences at their ends and not in figures or names', () => {
    expect(blocksOf('It costs 0.023 USD. Choose v2.1 for e.g. archives.').map(({ text }) => text)).toEqual([
      'It costs 0.023 USD.',
      'Choose v2.1 for e.g. archives.'
    ])
  })

  it('copes with any text', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', 'B', '.', '! ', '\n', '\n\n', '- ', '|', '1. ', '## ', '`', '\u{1F600}', '\ud800', '\u0000'),
          maxLength: 80
        }),
        (text) => {
          const { lead, points } = extract([passage({ text })], terms)
          expect(points.length === 0 || lead !== null).toBe(true)
        }
      )
    )
  })
})
