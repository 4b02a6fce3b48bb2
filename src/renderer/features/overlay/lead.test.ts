// The overlay leads with a few lines and loses none.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseMarkdown } from '../../markdown/incremental.ts'
import { leadOf } from './lead.ts'

it('loses no block and always leads with one', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('Short.', 'A longer paragraph. '.repeat(12), '## Heading', '- one\n- two'), { maxLength: 12 }), (parts) => {
      const blocks = parseMarkdown(parts.join('\n\n'))
      const { lead, rest } = leadOf(blocks)
      expect([...lead, ...rest]).toEqual(blocks)
      expect(lead.length > 0).toBe(blocks.length > 0)
    })
  )
})

it('stops before the block that makes it long', () => {
  const { lead, rest } = leadOf(parseMarkdown(`Yes, choose Multi-AZ.\n\n${'Because. '.repeat(60)}\n\nMore.`))
  expect([lead.length, rest.length]).toEqual([1, 2])
})

it('does not end with a colon', () => {
  const { lead } = leadOf(parseMarkdown(`Three levers:\n\n- ${'one '.repeat(100)}\n\nMore.`))
  expect(lead.map((block) => block.node.type)).toEqual(['paragraph', 'list'])
})

it('does not end with a heading', () => {
  const { lead } = leadOf(parseMarkdown(`## Cost\n\n${'It depends. '.repeat(60)}`))
  expect(lead.map((block) => block.node.type)).toEqual(['heading', 'paragraph'])
})
