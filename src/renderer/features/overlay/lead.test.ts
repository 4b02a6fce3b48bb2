// The overlay leads with a few lines and loses none.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseMarkdown } from '../../markdown/incremental.ts'
import { plainBlock, plainInline, type Block } from '../../markdown/nodes.ts'
import { leadOf } from './lead.ts'

/** Every paragraph, heading and point, in order, however lists are cut. */
const lines = (blocks: readonly Block[]): string[] =>
  blocks.flatMap(({ node }) => {
    if (node.type === 'list') return node.items.map((item) => item.map(plainBlock).join(' '))
    return node.type === 'table' ? node.rows.map((row) => row.map(plainInline).join(' ')) : [plainBlock(node)]
  })

const table = (rows: number): string =>
  `| Tier | Price |\n| --- | --- |\n${Array.from({ length: rows }, (_, row) => `| Storage tier ${row} | ${row} cents per gigabyte |`).join('\n')}`

it('loses no line, always leads with one, and gives every block a key of its own', () => {
  const part = fc.constantFrom(
    'Short.',
    'A longer paragraph. '.repeat(12),
    '## Heading',
    table(9),
    table(2),
    `- one\n- two\n- ${'three '.repeat(40)}\n- four`
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const blocks = parseMarkdown(parts.join('\n\n'))
      const { lead, rest } = leadOf(blocks)
      expect(lines([...lead, ...rest])).toEqual(lines(blocks))
      expect(lead.length > 0).toBe(blocks.length > 0)
      const keys = [...lead, ...rest].map((block) => block.start)
      expect(new Set(keys).size).toBe(keys.length)
      expect(rest.some(({ node }) => (node.type === 'list' && node.items.length === 0) || (node.type === 'table' && node.rows.length === 0))).toBe(
        false
      )
    })
  )
})

it('stops before the block that makes it long', () => {
  const { lead, rest } = leadOf(parseMarkdown(`Yes, choose Multi-AZ.\n\n${'Because. '.repeat(60)}\n\nMore.`))
  expect([lead.length, rest.length]).toEqual([1, 2])
})

it('shows the first points of a long list, and goes on counting below', () => {
  const points = ['First', 'Second', 'Third', 'Fourth'].map((word, i) => `${i + 1}. ${word} ${'reason '.repeat(14)}`)
  const { lead, rest } = leadOf(parseMarkdown(`It depends on two things.\n\n${points.join('\n')}`))
  expect(lead.map((b) => b.node.type)).toEqual(['paragraph', 'list'])
  expect(lines(lead)).toHaveLength(4)
  expect(rest[0]?.node).toMatchObject({ type: 'list', start: 4, items: { length: 1 } })
})

it('shows the first rows of a long table after a sentence, and the others under the same head', () => {
  const { lead, rest } = leadOf(parseMarkdown(`Prices differ by tier and by region, and they change about once a year.\n\n${table(12)}`))
  expect(lead.map((block) => block.node.type)).toEqual(['paragraph', 'table'])
  expect(lines(lead).length).toBeGreaterThan(3)
  expect(rest[0]?.node).toMatchObject({ type: 'table', head: [[{ text: 'Tier' }], [{ text: 'Price' }]] })
  expect(lines([...lead, ...rest])).toHaveLength(13)
})

it('does not end with a colon', () => {
  const { lead } = leadOf(parseMarkdown(`Three levers:\n\n- ${'one '.repeat(100)}\n\nMore.`))
  expect(lead.map((block) => block.node.type)).toEqual(['paragraph', 'list'])
})

it('does not end with a heading', () => {
  const { lead } = leadOf(parseMarkdown(`## Cost\n\n${'It depends. '.repeat(60)}`))
  expect(lead.map((block) => block.node.type)).toEqual(['heading', 'paragraph'])
})
