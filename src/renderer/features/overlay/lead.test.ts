// The overlay leads with a few lines and loses none.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseMarkdown } from '../../markdown/incremental.ts'
import { plainBlock, type Block } from '../../markdown/nodes.ts'
import { leadOf } from './lead.ts'

/** Every paragraph, heading and point, in order, however lists are cut. */
const lines = (blocks: readonly Block[]): string[] =>
  blocks.flatMap(({ node }) => (node.type === 'list' ? node.items.map((item) => item.map(plainBlock).join(' ')) : [plainBlock(node)]))

it('loses no line, always leads with one, and gives every block a key of its own', () => {
  const part = fc.constantFrom('Short.', 'A longer paragraph. '.repeat(12), '## Heading', `- one\n- two\n- ${'three '.repeat(40)}\n- four`)
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const blocks = parseMarkdown(parts.join('\n\n'))
      const { lead, rest } = leadOf(blocks)
      expect(lines([...lead, ...rest])).toEqual(lines(blocks))
      expect(lead.length > 0).toBe(blocks.length > 0)
      const keys = [...lead, ...rest].map((block) => block.start)
      expect(new Set(keys).size).toBe(keys.length)
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

it('does not end with a colon', () => {
  const { lead } = leadOf(parseMarkdown(`Three levers:\n\n- ${'one '.repeat(100)}\n\nMore.`))
  expect(lead.map((block) => block.node.type)).toEqual(['paragraph', 'list'])
})

it('does not end with a heading', () => {
  const { lead } = leadOf(parseMarkdown(`## Cost\n\n${'It depends. '.repeat(60)}`))
  expect(lead.map((block) => block.node.type)).toEqual(['heading', 'paragraph'])
})
