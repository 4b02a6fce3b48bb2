// The tree an answer becomes: plain data between the parser and React, so that both can be tested alone.

export type Inline =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'code'; readonly text: string }
  | { readonly type: 'strong' | 'emphasis' | 'strike'; readonly children: readonly Inline[] }
  | { readonly type: 'link'; readonly href: string; readonly children: readonly Inline[] }
  /** Images are never loaded: their words stand in, linked to the source where it may be opened. */
  | { readonly type: 'image'; readonly href: string; readonly alt: string }
  | { readonly type: 'break' }
  /** `[2]` in the text; a citation only if the answer has one of that number. */
  | { readonly type: 'citation'; readonly n: number }

export type Align = 'left' | 'center' | 'right'

export type BlockNode =
  | { readonly type: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly type: 'heading'; readonly level: number; readonly children: readonly Inline[] }
  | {
      readonly type: 'list'
      readonly ordered: boolean
      readonly start: number
      readonly tight: boolean
      readonly items: readonly (readonly BlockNode[])[]
    }
  | { readonly type: 'quote'; readonly children: readonly BlockNode[] }
  | { readonly type: 'code'; readonly language: string; readonly text: string }
  | {
      readonly type: 'table'
      readonly head: readonly (readonly Inline[])[]
      readonly rows: readonly (readonly (readonly Inline[])[])[]
      readonly align: readonly Align[]
    }
  | { readonly type: 'rule' }

/** One top-level block of a text. */
export interface Block {
  /** Where it begins in the raw text: stable while the text grows, so it is the key. */
  readonly start: number
  /** Its own lines. Equal source at an equal start means an equal node. */
  readonly source: string
  readonly node: BlockNode
}

/** The words of inline nodes, for alternatives and announcements. */
export function plainInline(nodes: readonly Inline[]): string {
  return nodes
    .map((node) => {
      switch (node.type) {
        case 'text':
        case 'code':
          return node.text
        case 'strong':
        case 'emphasis':
        case 'strike':
        case 'link':
          return plainInline(node.children)
        case 'image':
          return node.alt
        case 'break':
          return ' '
        case 'citation':
          return ''
      }
    })
    .join('')
}

/** The words of a block in one line. */
export function plainBlock(node: BlockNode): string {
  switch (node.type) {
    case 'paragraph':
    case 'heading':
      return plainInline(node.children)
    case 'list':
      return node.items.map((item) => item.map(plainBlock).join(' ')).join('; ')
    case 'quote':
      return node.children.map(plainBlock).join(' ')
    case 'code':
      return node.text
    case 'table':
      return [node.head, ...node.rows].map((row) => row.map(plainInline).join(', ')).join('; ')
    case 'rule':
      return ''
  }
}
