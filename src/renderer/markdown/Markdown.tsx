// An answer's text as React elements. Finished blocks are memoised; a growing text renders only its open end.
import { createContext, Fragment, memo, useContext, useState, type ReactNode } from 'react'
import type { Citation } from '../../shared/turn.ts'
import { shownNumber } from './citations.ts'
import { useActions } from '../state/context.tsx'
import { text } from '../text/text.ts'
import { CodeBlock } from './CodeBlock.tsx'
import { advanceMarkdown, emptyMarkdown, isSafeLink, type MarkdownText } from './incremental.ts'
import { plainInline, type Block, type BlockNode, type Inline } from './nodes.ts'

export interface CitationTarget {
  readonly citations: readonly Citation[]
  readonly show: (n: number) => void
}
const noCitations: CitationTarget = { citations: [], show: () => undefined }
/** The citations that `[n]` may point to. */
export const CitationContext = createContext<CitationTarget>(noCitations)

/** The blocks of a text that may grow between renders. */
export function useMarkdown(source: string): MarkdownText {
  const [read, setRead] = useState<MarkdownText>(() => advanceMarkdown(emptyMarkdown, source))
  if (read.text === source) return read
  // React's way to keep what the last render knew: the state is set while rendering, before anything is shown.
  const next = advanceMarkdown(read, source)
  setRead(next)
  return next
}

export function Markdown({ source, streaming }: { readonly source: string; readonly streaming: boolean }): ReactNode {
  const markdown = useMarkdown(source)
  return (
    <div className="md">
      <Blocks blocks={markdown.finished} settled />
      <Blocks blocks={markdown.open} settled={!streaming} />
    </div>
  )
}

export function Blocks({ blocks, settled }: { readonly blocks: readonly Block[]; readonly settled: boolean }): ReactNode {
  return blocks.map((block) => <BlockView key={block.start} node={block.node} settled={settled} />)
}

/** A block that cannot change any more is `settled`: only then code is coloured. */
const BlockView = memo(function BlockView({ node, settled }: { readonly node: BlockNode; readonly settled: boolean }): ReactNode {
  switch (node.type) {
    case 'paragraph':
      return (
        <p>
          <InlineNodes nodes={node.children} />
        </p>
      )
    case 'heading': {
      // The window's own headings come first: an answer's begin below them.
      const Tag = node.level <= 1 ? 'h3' : node.level === 2 ? 'h4' : 'h5'
      return (
        <Tag>
          <InlineNodes nodes={node.children} />
        </Tag>
      )
    }
    case 'list': {
      const items = node.items.map((item, index) => (
        <li key={index}>
          {item.map((child, at) =>
            node.tight && child.type === 'paragraph' ? (
              <InlineNodes key={at} nodes={child.children} />
            ) : (
              <BlockView key={at} node={child} settled={settled} />
            )
          )}
        </li>
      ))
      return node.ordered ? <ol start={node.start}>{items}</ol> : <ul>{items}</ul>
    }
    case 'quote':
      return (
        <blockquote>
          {node.children.map((child, index) => (
            <BlockView key={index} node={child} settled={settled} />
          ))}
        </blockquote>
      )
    case 'code':
      return <CodeBlock language={node.language} code={node.text} settled={settled} />
    case 'table':
      return <TableView node={node} />
    case 'rule':
      return <hr />
  }
})

function TableView({ node }: { readonly node: Extract<BlockNode, { type: 'table' }> }): ReactNode {
  return (
    // Wide tables scroll inside themselves, by keyboard too.
    <div className="md-table" role="group" aria-label={text.markdown.table} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {node.head.map((cell, column) =>
              // A heading without words is none, as in the corner of a comparison.
              plainInline(cell).trim() === '' ? (
                <td key={column} />
              ) : (
                <th key={column} scope="col" data-align={node.align[column]}>
                  <InlineNodes nodes={cell} />
                </th>
              )
            )}
          </tr>
        </thead>
        <tbody>
          {node.rows.map((row, index) => (
            <tr key={index}>
              {node.align.map((align, column) => (
                <td key={column} data-align={align}>
                  <InlineNodes nodes={row[column] ?? []} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function InlineNodes({ nodes }: { readonly nodes: readonly Inline[] }): ReactNode {
  return nodes.map((node, index) => <Fragment key={index}>{inline(node)}</Fragment>)
}

function inline(node: Inline): ReactNode {
  switch (node.type) {
    case 'text':
      return node.text
    case 'code':
      return <code>{node.text}</code>
    case 'strong':
      return (
        <strong>
          <InlineNodes nodes={node.children} />
        </strong>
      )
    case 'emphasis':
      return (
        <em>
          <InlineNodes nodes={node.children} />
        </em>
      )
    case 'strike':
      return (
        <s>
          <InlineNodes nodes={node.children} />
        </s>
      )
    case 'link':
      return (
        <SafeLink href={node.href}>
          <InlineNodes nodes={node.children} />
        </SafeLink>
      )
    case 'image':
      return <SafeLink href={node.href}>{node.alt === '' ? text.markdown.image : node.alt}</SafeLink>
    case 'break':
      return <br />
    case 'citation':
      return <CitationMarker n={node.n} />
  }
}

/** Opens in the system's browser, through the core; anything but http, https and mailto is only words. */
export function SafeLink({ href, children }: { readonly href: string; readonly children: ReactNode }): ReactNode {
  const actions = useActions()
  if (!isSafeLink(href)) return children
  return (
    <a
      href={href}
      title={href}
      rel="noreferrer"
      onClick={(event) => {
        event.preventDefault()
        void actions.openLink(href)
      }}
    >
      {children}
    </a>
  )
}

function CitationMarker({ n }: { readonly n: number }): ReactNode {
  const { citations, show } = useContext(CitationContext)
  const citation = citations.find((candidate) => candidate.n === n)
  const shown = shownNumber(citations, n)
  if (citation === undefined || shown === null) return `[${n}]`
  return (
    <button type="button" className="cite" aria-label={text.answer.citation(shown, citation.title)} title={citation.title} onClick={() => show(n)}>
      {shown}
    </button>
  )
}
