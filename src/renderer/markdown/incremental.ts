// Markdown of a text that grows: finished blocks are parsed once and keep their identity, only the open end is parsed again.
import MarkdownIt from 'markdown-it'
import { cleanText } from '../../shared/kit/text.ts'
import type { Block } from './nodes.ts'
import { readBlocks } from './tree.ts'

const SAFE_LINK = /^(?:https?:\/\/|mailto:)/i

const parser = new MarkdownIt({ html: false, linkify: true, breaks: false, typographer: false })
// A reference definition far below would change blocks above that are finished; models cite with `[n]` instead.
parser.disable('reference')
// Only addresses that say what they are: `node.js` is not a link.
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false })
parser.validateLink = (url) => SAFE_LINK.test(url.trim())

/** Whether a person may open it. The core checks again before it opens anything. */
export function isSafeLink(url: string): boolean {
  return SAFE_LINK.test(url)
}

export interface MarkdownText {
  /** The raw text that was read. */
  readonly text: string
  /** Blocks that no later character can change. */
  readonly finished: readonly Block[]
  /** Blocks at the end that may still change. */
  readonly open: readonly Block[]
  /** Where the open end begins in the raw text. */
  readonly openStart: number
}

export const emptyMarkdown: MarkdownText = { text: '', finished: [], open: [], openStart: 0 }

/** The whole text at once. */
export function parseMarkdown(text: string): readonly Block[] {
  return readSource(text, 0).blocks
}

/**
 * Reads on. Whatever the steps, the blocks equal those of `parseMarkdown` on the same text. A text that does not
 * continue the previous one is read from its start.
 */
export function advanceMarkdown(previous: MarkdownText, text: string): MarkdownText {
  if (text === previous.text) return previous
  const base = text.startsWith(previous.text) ? previous : emptyMarkdown
  const tail = readSource(text.slice(base.openStart), base.openStart)
  const known = new Map(base.open.map((block) => [block.start, block]))
  const blocks = tail.blocks.map((block) => {
    const old = known.get(block.start)
    return old !== undefined && old.source === block.source ? old : block
  })
  // A block is finished when two whole lines of the next one are there: no rule of the parser looks further ahead
  // (a table needs its second line to be one; a `#` becomes a heading or text by what follows on its line).
  let settled = 0
  while (settled + 1 < blocks.length && (tail.lineOf[settled + 1] ?? 0) + 2 <= tail.completeLines) settled += 1
  if (settled === 0) return { ...base, text, open: blocks }
  return {
    text,
    finished: [...base.finished, ...blocks.slice(0, settled)],
    open: blocks.slice(settled),
    openStart: blocks[settled]?.start ?? text.length
  }
}

interface ReadSource {
  readonly blocks: readonly Block[]
  /** The line on which each block begins. */
  readonly lineOf: readonly number[]
  readonly completeLines: number
}

function readSource(raw: string, offset: number): ReadSource {
  const starts = lineStarts(raw)
  const lines = cleanText(raw).split('\n')
  const read = readBlocks(parser.parse(lines.join('\n'), {}))
  return {
    blocks: read.map((block) => ({
      start: offset + (starts[block.from] ?? raw.length),
      source: lines.slice(block.from, block.to).join('\n'),
      node: block.node
    })),
    lineOf: read.map((block) => block.from),
    completeLines: starts.length - 1
  }
}

/** Where each line begins. A `\r` at the very end does not end its line yet: a `\n` may follow. */
function lineStarts(raw: string): readonly number[] {
  const starts = [0]
  for (const match of raw.matchAll(/\r\n|\n|\r(?!$)/g)) starts.push(match.index + match[0].length)
  return starts
}
