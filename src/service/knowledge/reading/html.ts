// A web page as a reader sees it: headings, paragraphs, lists and tables; no scripts, menus, comments or hidden text. Pure.
import { Parser } from 'htmlparser2'
import { decode } from './decode.ts'
import { HIDDEN_TEXT, type Block, type Reading } from './reading.ts'

const SKIPPED = new Set(
  'script style noscript template svg math nav iframe object embed canvas audio video button select textarea option dialog'.split(' ')
)
const BREAKING = new Set(
  'p div section article main header footer aside ul ol li dl dt dd blockquote pre figure figcaption address details summary hr table tr td th thead tbody caption body html form fieldset'.split(
    ' '
  )
)
const INVISIBLE =
  /(?:display:none|visibility:hidden|opacity:0(?:\.0+)?(?:;|$)|font-size:(?:0|1|2)(?:\.\d+)?(?:px|pt|em|rem|%)?(?:;|$)|text-indent:-\d{3,}|(?:left|top|right):-\d{4,}|clip:rect\(0|clip-path:inset\((?:50|100)%|(?:max-)?(?:height|width):0(?:px)?(?:;|$))/
const WHITE = /(?:^|;)color:(?:white|#fff(?:fff)?|rgba?\(255,255,255|transparent)/
const BACKGROUND = /background/
/** Deeper than any page a person wrote. */
const DEEPEST = 10_000

interface Open {
  readonly name: string
  readonly isSkipped: boolean
  readonly isHidden: boolean
  readonly hasBackground: boolean
}

interface OpenTable {
  readonly rows: { readonly cells: string[]; readonly isHeader: boolean }[]
  cell: string | null
}

export function readHtml(bytes: Uint8Array): Reading {
  const blocks: Block[] = []
  const stack: Open[] = []
  const tables: OpenTable[] = []
  let text = ''
  let heading = 0
  let date: string | null = null
  let sawHidden = false

  const close = (): void => {
    const clean = text
      .replace(/[ \t]*\n[ \t]*/g, '\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim()
    text = ''
    if (clean === '') return
    if (heading > 0) blocks.push({ kind: 'heading', level: heading, text: clean })
    else {
      const last = blocks.at(-1)
      // The points of a list belong together.
      if (clean.startsWith('- ') && last?.kind === 'text' && last.text.startsWith('- '))
        blocks[blocks.length - 1] = { kind: 'text', text: `${last.text}\n${clean}` }
      else blocks.push({ kind: 'text', text: clean })
    }
  }
  const closeTable = (table: OpenTable): void => {
    const rows = table.rows.filter(({ cells }) => cells.some((cell) => cell !== ''))
    const outer = tables.at(-1)
    if (outer !== undefined) {
      outer.cell = `${outer.cell ?? ''} ${rows.map(({ cells }) => cells.join(' ')).join('; ')}`
      return
    }
    const isLayout = rows.every(({ cells }) => cells.length < 2)
    if (isLayout) for (const { cells } of rows) blocks.push({ kind: 'text', text: cells.join(' ') })
    else blocks.push({ kind: 'table', header: rows[0]?.cells ?? [], rows: rows.slice(1).map(({ cells }) => cells) })
  }

  const parser = new Parser(
    {
      onopentag(name, attributes) {
        const outer = stack.at(-1)
        const style = (attributes['style'] ?? '').toLowerCase().replace(/\s+/g, '')
        const hasBackground = (outer?.hasBackground ?? false) || BACKGROUND.test(style) || attributes['bgcolor'] !== undefined
        const isHidden =
          (outer?.isHidden ?? false) ||
          'hidden' in attributes ||
          attributes['aria-hidden'] === 'true' ||
          INVISIBLE.test(style) ||
          (WHITE.test(style) && !hasBackground)
        const isSkipped = (outer?.isSkipped ?? false) || SKIPPED.has(name) || name === 'title'
        if (stack.length < DEEPEST) stack.push({ name, isSkipped, isHidden, hasBackground })
        if (name === 'meta') date ??= dateOf(attributes)
        if (isSkipped || isHidden) return
        const table = tables.at(-1)
        if (name === 'table') {
          if (table === undefined) close()
          tables.push({ rows: [], cell: null })
        } else if (table !== undefined) {
          if (name === 'tr') table.rows.push({ cells: [], isHeader: false })
          else if (name === 'td' || name === 'th') table.cell = ''
          else if (table.cell !== null && (name === 'br' || BREAKING.has(name))) table.cell += ' '
        } else if (/^h[1-6]$/.test(name)) {
          close()
          heading = Number(name[1])
        } else if (name === 'li') {
          close()
          text = '- '
        } else if (name === 'br') text += '\n'
        else if (BREAKING.has(name) && text !== '- ') close()
      },
      ontext(piece) {
        const outer = stack.at(-1)
        if (outer?.isSkipped === true) return
        if (outer?.isHidden === true) {
          sawHidden ||= piece.trim() !== ''
          return
        }
        const shown = stack.some(({ name }) => name === 'pre') ? piece : piece.replace(/\s+/g, ' ')
        const table = tables.at(-1)
        if (table === undefined) text += text === '' || text.endsWith('\n') ? shown.trimStart() : shown
        else if (table.cell !== null) table.cell += shown
      },
      oncomment: (comment) => {
        // Comments of programs (`[if IE]`, build marks) are short or begin so; a sentence is meant for somebody.
        sawHidden ||= !/^\s*\[/.test(comment) && (comment.trim().match(/\S+/g)?.length ?? 0) > 5
      },
      onclosetag(name) {
        const at = stack.findLastIndex((open) => open.name === name)
        const open = stack[at]
        if (open === undefined) return
        stack.length = at
        if (open.isSkipped || open.isHidden) return
        const table = tables.at(-1)
        if (name === 'table') {
          const done = tables.pop()
          if (done !== undefined) closeTable(done)
        } else if (table !== undefined) {
          if ((name === 'td' || name === 'th') && table.cell !== null) {
            if (table.rows.length === 0) table.rows.push({ cells: [], isHeader: false })
            table.rows.at(-1)?.cells.push(table.cell.replace(/\s+/g, ' ').trim())
            table.cell = null
          }
        } else if (/^h[1-6]$/.test(name)) {
          close()
          heading = 0
        } else if (BREAKING.has(name)) close()
      }
    },
    { decodeEntities: true, lowerCaseTags: true }
  )
  parser.end(decode(bytes))
  close()
  while (tables.length > 0) {
    const left = tables.pop()
    if (left !== undefined) closeTable(left)
  }
  return { blocks, date, remarks: sawHidden ? [HIDDEN_TEXT] : [] }
}

function dateOf(attributes: Readonly<Record<string, string>>): string | null {
  const name = (attributes['name'] ?? attributes['property'] ?? attributes['http-equiv'] ?? '').toLowerCase()
  if (!/^(?:date|last-modified|dcterms\.modified|article:(?:modified|published)_time)$/.test(name)) return null
  return /^(\d{4}-\d{2}-\d{2})/.exec(attributes['content'] ?? '')?.[1] ?? null
}
