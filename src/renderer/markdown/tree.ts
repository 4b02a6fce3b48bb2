// markdown-it's flat tokens into our tree. Everything the source holds ends as text or as one of our own nodes.
import type { Token } from 'markdown-it'
import { plainInline, type Align, type BlockNode, type Inline } from './nodes.ts'

const CITATION = /\[(\d{1,3})\]/g
/** A figure: an optional sign or currency, digits, an optional unit of a few letters. */
const FIGURE = /^[~≈<>≤≥+−-]?\s*[$€£¥]?\s*\d[\d.,\s]*\s*(?:%|[a-zA-Z/µ]{1,9})?$/

/** Reads top-level blocks, each with the line it begins on and the line after its end. */
export function readBlocks(tokens: readonly Token[]): readonly { readonly from: number; readonly to: number; readonly node: BlockNode }[] {
  const blocks: { from: number; to: number; node: BlockNode }[] = []
  let index = 0
  while (index < tokens.length) {
    const token = tokens[index]
    const end = closing(tokens, index)
    const node = token === undefined ? null : readBlock(tokens, index, end)
    if (token !== undefined && node !== null) blocks.push({ from: token.map?.[0] ?? 0, to: token.map?.[1] ?? 0, node })
    index = end + 1
  }
  return blocks
}

/** The index of the token that closes the one at `open`; `open` itself where it stands alone. */
function closing(tokens: readonly Token[], open: number): number {
  const first = tokens[open]
  if (first === undefined || first.nesting !== 1) return open
  let depth = 0
  for (let index = open; index < tokens.length; index += 1) {
    depth += tokens[index]?.nesting ?? 0
    if (depth === 0) return index
  }
  return tokens.length - 1
}

function readChildren(tokens: readonly Token[], open: number, close: number): readonly BlockNode[] {
  return readBlocks(tokens.slice(open + 1, close)).map((block) => block.node)
}

function readBlock(tokens: readonly Token[], open: number, close: number): BlockNode | null {
  const token = tokens[open]
  if (token === undefined) return null
  switch (token.type) {
    case 'paragraph_open':
      return { type: 'paragraph', children: readInline(tokens[open + 1]?.children ?? []) }
    case 'heading_open':
      return { type: 'heading', level: Number(token.tag.slice(1)), children: readInline(tokens[open + 1]?.children ?? []) }
    case 'bullet_list_open':
    case 'ordered_list_open':
      return readList(tokens, open, close)
    case 'blockquote_open':
      return { type: 'quote', children: readChildren(tokens, open, close) }
    case 'fence':
    case 'code_block':
      return { type: 'code', language: token.info.trim().split(/\s+/)[0]?.toLowerCase() ?? '', text: token.content.replace(/\n$/, '') }
    case 'table_open':
      return readTable(tokens.slice(open, close + 1))
    case 'hr':
      return { type: 'rule' }
    default:
      // A kind that we did not switch on: its words stay words.
      return token.content === '' ? null : { type: 'paragraph', children: [{ type: 'text', text: token.content }] }
  }
}

function readList(tokens: readonly Token[], open: number, close: number): BlockNode {
  const items: (readonly BlockNode[])[] = []
  let tight = true
  for (let index = open + 1; index < close;) {
    const end = closing(tokens, index)
    items.push(readChildren(tokens, index, end))
    if (
      tokens
        .slice(index + 1, end)
        .some((token) => token.type === 'paragraph_open' && token.level === (tokens[index]?.level ?? 0) + 1 && !token.hidden)
    )
      tight = false
    index = end + 1
  }
  return { type: 'list', ordered: tokens[open]?.type === 'ordered_list_open', start: Number(attribute(tokens[open], 'start') ?? 1), tight, items }
}

function readTable(tokens: readonly Token[]): BlockNode {
  const rows: Inline[][][] = []
  const align: (Align | null)[] = []
  let header = true
  let columns = 0
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'tr_open') rows.push([])
    else if (token.type === 'thead_close') header = false
    else if (token.type === 'th_open' || token.type === 'td_open') {
      rows.at(-1)?.push(readInline(tokens[index + 1]?.children ?? []))
      if (header) {
        align.push(alignOf(token))
        columns += 1
      }
    }
  }
  const [head = [], ...body] = rows
  const resolved = Array.from({ length: columns }, (_, column): Align => {
    const cells = body.map((row) => plainInline(row[column] ?? []).trim()).filter((cell) => cell !== '')
    // Columns of figures line up by their last digit unless the author said otherwise.
    const figures = cells.length > 0 && cells.every((cell) => FIGURE.test(cell))
    return align[column] ?? (figures ? 'right' : 'left')
  })
  return { type: 'table', head, rows: body, align: resolved }
}

function alignOf(token: Token): Align | null {
  const style = attribute(token, 'style') ?? ''
  if (style.includes('right')) return 'right'
  if (style.includes('center')) return 'center'
  return style.includes('left') ? 'left' : null
}

function attribute(token: Token | undefined, name: string): string | null {
  const value = token?.attrs?.find(([key]) => key === name)?.[1]
  return value === undefined ? null : String(value)
}

// ---- inline --------------------------------------------------------------------------------------------------------

function readInline(tokens: readonly Token[]): Inline[] {
  const nodes: Inline[] = []
  let index = 0
  while (index < tokens.length) {
    const token = tokens[index]
    const end = closing(tokens, index)
    if (token !== undefined) pushInline(nodes, token, tokens.slice(index + 1, end))
    index = end + 1
  }
  return nodes
}

function pushInline(nodes: Inline[], token: Token, inner: readonly Token[]): void {
  switch (token.type) {
    case 'code_inline':
      nodes.push({ type: 'code', text: token.content })
      return
    case 'strong_open':
      nodes.push({ type: 'strong', children: readInline(inner) })
      return
    case 'em_open':
      nodes.push({ type: 'emphasis', children: readInline(inner) })
      return
    case 's_open':
      nodes.push({ type: 'strike', children: readInline(inner) })
      return
    case 'link_open':
      nodes.push({ type: 'link', href: attribute(token, 'href') ?? '', children: readInline(inner).map(withoutCitation) })
      return
    case 'image':
      nodes.push({ type: 'image', href: attribute(token, 'src') ?? '', alt: plainInline(readInline(token.children ?? [])) })
      return
    case 'hardbreak':
      nodes.push({ type: 'break' })
      return
    case 'softbreak':
      pushText(nodes, ' ')
      return
    default:
      pushText(nodes, token.content)
  }
}

/** A link's words are not buttons. */
function withoutCitation(node: Inline): Inline {
  return node.type === 'citation' ? { type: 'text', text: `[${node.n}]` } : node
}

function pushText(nodes: Inline[], text: string): void {
  let from = 0
  for (const match of text.matchAll(CITATION)) {
    const n = Number(match[1])
    if (n === 0) continue
    addText(nodes, text.slice(from, match.index))
    nodes.push({ type: 'citation', n })
    from = match.index + match[0].length
  }
  addText(nodes, text.slice(from))
}

function addText(nodes: Inline[], text: string): void {
  if (text === '') return
  const last = nodes.at(-1)
  if (last?.type === 'text') nodes[nodes.length - 1] = { type: 'text', text: last.text + text }
  else nodes.push({ type: 'text', text })
}
