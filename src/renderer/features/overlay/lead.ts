// How much of an answer the overlay shows first: enough to speak from at a glance, the rest on demand. Pure.
import { plainBlock, plainInline, type Block, type BlockNode } from '../../markdown/nodes.ts'

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

type Table = Extract<BlockNode, { readonly type: 'table' }>

/** A row takes a line even when it is short. */
const ROW_LENGTH = 42

/** The first rows of a table and the others, under the same head. */
function splitTable(block: Block, node: Table, room: number): readonly [Block | null, Block] {
  let left = room - ROW_LENGTH
  let count = 0
  for (const row of node.rows) {
    left -= Math.max(ROW_LENGTH, row.map(plainInline).join(' ').length)
    if (left < 0) break
    count += 1
  }
  if (count === 0) return [null, block]
  return [
    { ...block, node: { ...node, rows: node.rows.slice(0, count) } },
    { ...block, start: block.start + 1, node: { ...node, rows: node.rows.slice(count) } }
  ]
}

/** What fits of a block that is too long to be shown whole; null: it is shown whole or not at all. */
function splitBlock(block: Block, room: number): readonly [Block | null, Block] {
  switch (block.node.type) {
    case 'list':
      return splitList(block, block.node, room)
    case 'table':
      return splitTable(block, block.node, room)
    case 'paragraph':
    case 'heading':
    case 'quote':
    case 'code':
    case 'rule':
      return [null, block]
  }
}

/** All of it fitted after all. */
function isEmpty(node: BlockNode): boolean {
  return (node.type === 'list' && node.items.length === 0) || (node.type === 'table' && node.rows.length === 0)
}

/** Whole blocks, whole points of a list and whole rows of a table. What announces never ends the lead: what it announces comes with it. */
export function leadOf(blocks: readonly Block[]): Lead {
  let length = 0
  for (const [count, block] of blocks.entries()) {
    const own = plainBlock(block.node).length
    const isOver = count > 0 && length + own > LEAD_LENGTH
    if (isOver) {
      const room = LEAD_LENGTH - length
      const [first, others] = splitBlock(block, announces(blocks[count - 1]) || block.node.type === 'table' ? Math.max(room, LEAD_LENGTH / 2) : room)
      if (first !== null)
        return { lead: [...blocks.slice(0, count), first], rest: [...(isEmpty(others.node) ? [] : [others]), ...blocks.slice(count + 1)] }
    }
    if (isOver && !announces(blocks[count - 1])) return { lead: blocks.slice(0, count), rest: blocks.slice(count) }
    length += own
  }
  return { lead: blocks, rest: [] }
}
