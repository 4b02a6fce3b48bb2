// How much of an answer the overlay shows first: enough to speak from at a glance, the rest on demand. Pure.
import { plainBlock, type Block } from '../../markdown/nodes.ts'

/** Characters that are read in a few seconds at arm's length: about six lines of the overlay's large type. */
const LEAD_LENGTH = 280

export interface Lead {
  readonly lead: readonly Block[]
  readonly rest: readonly Block[]
}

/** A heading, or words that end in a colon, announce the next block. */
function announces(block: Block | undefined): boolean {
  return block !== undefined && (block.node.type === 'heading' || plainBlock(block.node).trimEnd().endsWith(':'))
}

/** Whole blocks only. What announces never ends the lead: what it announces comes with it. */
export function leadOf(blocks: readonly Block[]): Lead {
  let length = 0
  let count = 0
  for (const block of blocks) {
    const own = plainBlock(block.node).length
    if (count > 0 && !announces(blocks[count - 1]) && length + own > LEAD_LENGTH) break
    length += own
    count += 1
  }
  return { lead: blocks.slice(0, count), rest: blocks.slice(count) }
}
