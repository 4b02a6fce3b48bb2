// How much of an answer the overlay shows first: enough to speak from at a glance, the rest on demand. Pure.
import { plainBlock, type Block, type BlockNode } from '../../markdown/nodes.ts'

/** Characters that are read in a few seconds at arm's length: about eight lines of the overlay's large type. */
const LEAD_LENGTH = 340

export interface Lead {
  readonly lead: readonly Block[]
  readonly rest: readonly Block[]
}

/** A heading, or words that end in a colon, announce the next block. */
function announces(block: Block | undefined): boolean {
  return block !== undefined && (block.node.type === 'heading' || plainBlock(block.node).trimEnd().endsWith(':'))
}

type List = Extract<BlockNode, { readonly type: 'list' }>

/** The first points of a list and the others; the numbers of an ordered one go on. */
function splitList(block: Block, node: List, room: number): readonly [Block | null, Block] {
  let length = 0
  let count = 0
  for (const item of node.items) {
    length += item.map(plainBlock).join(' ').length
    if (length > room) break
    count += 1
  }
  if (count === 0) return [null, block]
  const part = (items: List['items'], start: number): BlockNode => ({ ...node, items, start })
  return [
    { ...block, node: part(node.items.slice(0, count), node.start) },
    // Its place in the text differs from the first part's, as keys must.
    { ...block, start: block.start + 1, node: part(node.items.slice(count), node.start + count) }
  ]
}

/** Whole blocks, and whole points of a list. What announces never ends the lead: what it announces comes with it. */
export function leadOf(blocks: readonly Block[]): Lead {
  let length = 0
  for (const [count, block] of blocks.entries()) {
    const own = plainBlock(block.node).length
    const isOver = count > 0 && length + own > LEAD_LENGTH
    if (isOver && block.node.type === 'list') {
      const [first, others] = splitList(
        block,
        block.node,
        announces(blocks[count - 1]) ? Math.max(LEAD_LENGTH - length, LEAD_LENGTH / 2) : LEAD_LENGTH - length
      )
      if (first !== null) return { lead: [...blocks.slice(0, count), first], rest: [others, ...blocks.slice(count + 1)] }
    }
    if (isOver && !announces(blocks[count - 1])) return { lead: blocks.slice(0, count), rest: blocks.slice(count) }
    length += own
  }
  return { lead: blocks, rest: [] }
}
