// A block of code: its language, a copy button, and colours once it is complete.
import { useEffect, useState, type ReactNode } from 'react'
import { text } from '../text/text.ts'
import { CopyButton } from '../ui/CopyButton.tsx'
import { highlightCode, knownLanguage, type CodePiece } from './highlight.ts'

export function CodeBlock({ language, code, settled }: { readonly language: string; readonly code: string; readonly settled: boolean }): ReactNode {
  const pieces = useHighlight(language, code, settled)
  return (
    <figure className="md-code">
      <figcaption>
        <span>{language === '' ? text.markdown.code : language}</span>
        <CopyButton value={code} label={text.markdown.copyCode} />
      </figcaption>
      {/* Long lines scroll inside, by keyboard too. */}
      <pre tabIndex={0} role="group" aria-label={language === '' ? text.markdown.code : language}>
        <code>{pieces === null ? code : <Pieces pieces={pieces} />}</code>
      </pre>
    </figure>
  )
}

function useHighlight(language: string, code: string, settled: boolean): readonly CodePiece[] | null {
  const [highlighted, setHighlighted] = useState<{ readonly code: string; readonly pieces: readonly CodePiece[] } | null>(null)
  const known = knownLanguage(language)
  useEffect(() => {
    if (!settled || known === null) return undefined
    let current = true
    highlightCode(known, code).then(
      (pieces) => (current ? setHighlighted({ code, pieces }) : undefined),
      // The language's file could not be read: the code stays readable without colours.
      () => setHighlighted(null)
    )
    return () => {
      current = false
    }
  }, [known, code, settled])
  return highlighted?.code === code ? highlighted.pieces : null
}

function Pieces({ pieces }: { readonly pieces: readonly CodePiece[] }): ReactNode {
  return pieces.map((piece, index) =>
    typeof piece === 'string' ? (
      piece
    ) : (
      <span key={index} data-scope={piece.scope.split('.')[0]}>
        <Pieces pieces={piece.children} />
      </span>
    )
  )
}
