// The text of a Word document from the tags of its XML (ECMA-376, part 1, chapter 17). Pure.
import type { Block } from './reading.ts'

type Attributes = Readonly<Record<string, string>>

interface TagHandler {
  onopentag(name: string, attributes: Attributes): void
  onclosetag(name: string): void
}

export interface Styles extends TagHandler {
  /** 1 to 6; 0: no heading. */
  levelOf(styleId: string): number
}

/** word/styles.xml: which styles are headings, in whatever language Word speaks: their level, or their built-in English name. */
export function createStyles(): Styles {
  const levels = new Map<string, number>()
  const parents = new Map<string, string>()
  let open = ''
  return {
    onopentag(name, attributes) {
      const value = attributes['w:val'] ?? ''
      if (name === 'w:style') open = attributes['w:styleId'] ?? ''
      else if (name === 'w:basedOn') parents.set(open, value)
      else if (name === 'w:outlineLvl' && /^[0-8]$/.test(value)) levels.set(open, Math.min(6, Number(value) + 1))
      else if (name === 'w:name') {
        const level = /^heading ([1-9])$/i.exec(value)?.[1]
        if (level !== undefined) levels.set(open, Math.min(6, Number(level)))
        else if (/^title$/i.test(value)) levels.set(open, 1)
      }
    },
    onclosetag: () => undefined,
    levelOf(styleId) {
      let style: string | undefined = styleId
      for (let depth = 0; style !== undefined && depth < 10; depth += 1) {
        const level = levels.get(style)
        if (level !== undefined) return level
        style = parents.get(style)
      }
      return 0
    }
  }
}

interface Paragraph {
  text: string
  level: number
  isPoint: boolean
  hasShading: boolean
}

interface Run {
  isHidden: boolean
  isWhite: boolean
  hasShading: boolean
}

interface Table {
  readonly rows: string[][]
  cell: string[] | null
}

export interface DocxBody extends TagHandler {
  ontext(text: string): void
  blocks(): Block[]
  sawHidden(): boolean
}

/** Half points: 2 pt. */
const TINY = 4

export function createDocxBody(levelOf: Styles['levelOf']): DocxBody {
  const blocks: Block[] = []
  /** A text box has paragraphs inside a paragraph. */
  const paragraphs: Paragraph[] = []
  const tables: Table[] = []
  let run: Run | null = null
  let inText = false
  let skipping = 0
  let hidden = false

  const write = (text: string): void => {
    const paragraph = paragraphs.at(-1)
    if (paragraph === undefined) return
    // White on a coloured cell is how headers of tables are set.
    const isWhite = run?.isWhite === true && !run.hasShading && !paragraph.hasShading && tables.length === 0
    if (run?.isHidden === true || isWhite) hidden ||= text.trim() !== ''
    else paragraph.text += text
  }
  const endParagraph = ({ text: raw, level, isPoint }: Paragraph): void => {
    const text = raw.trim()
    if (text === '') return
    const cell = tables.at(-1)?.cell
    if (cell !== undefined && cell !== null) return void cell.push(text)
    if (level > 0) return void blocks.push({ kind: 'heading', level, text })
    const last = blocks.at(-1)
    if (isPoint && last?.kind === 'text' && last.text.startsWith('- ')) blocks[blocks.length - 1] = { kind: 'text', text: `${last.text}\n- ${text}` }
    else blocks.push({ kind: 'text', text: isPoint ? `- ${text}` : text })
  }
  const endTable = ({ rows }: Table): void => {
    const outer = tables.at(-1)?.cell
    if (outer !== undefined && outer !== null) return void outer.push(rows.map((row) => row.join(' ')).join('; '))
    if (rows.every((row) => row.length < 2)) for (const row of rows) blocks.push({ kind: 'text', text: row.join(' ') })
    else blocks.push({ kind: 'table', header: rows[0] ?? [], rows: rows.slice(1) })
  }

  return {
    onopentag(name, attributes) {
      // The same once more for older programs.
      if (name === 'mc:Fallback' || skipping > 0) return void (skipping += 1)
      const value = attributes['w:val'] ?? ''
      const isOn = value !== '0' && value !== 'false' && value !== 'none'
      const paragraph = paragraphs.at(-1)
      switch (name) {
        case 'w:p':
          paragraphs.push({ text: '', level: 0, isPoint: false, hasShading: false })
          break
        case 'w:pStyle':
          if (paragraph !== undefined) paragraph.level = levelOf(value)
          break
        case 'w:outlineLvl':
          if (paragraph !== undefined && /^[0-8]$/.test(value)) paragraph.level = Math.min(6, Number(value) + 1)
          break
        case 'w:numPr':
          if (paragraph !== undefined) paragraph.isPoint = true
          break
        case 'w:r':
          run = { isHidden: false, isWhite: false, hasShading: false }
          break
        case 'w:vanish':
        case 'w:specVanish':
          if (run !== null && isOn) run.isHidden = true
          break
        case 'w:sz':
          if (run !== null && Number(value) <= TINY) run.isHidden = true
          break
        case 'w:color':
          if (run !== null && /^f[c-f]f[c-f]f[c-f]$/i.test(value)) run.isWhite = true
          break
        case 'w:shd':
        case 'w:highlight':
          if (run !== null) run.hasShading = true
          else if (paragraph !== undefined) paragraph.hasShading = true
          break
        case 'w:t':
          inText = true
          break
        case 'w:tab':
          if (run !== null) write(' ')
          break
        case 'w:br':
        case 'w:cr':
          write('\n')
          break
        case 'w:noBreakHyphen':
          write('-')
          break
        case 'w:tbl':
          tables.push({ rows: [], cell: null })
          break
        case 'w:tr':
          tables.at(-1)?.rows.push([])
          break
        case 'w:tc': {
          const table = tables.at(-1)
          if (table !== undefined) table.cell = []
        }
      }
    },
    ontext(text) {
      if (inText && skipping === 0) write(text)
    },
    onclosetag(name) {
      if (skipping > 0) return void (skipping -= 1)
      switch (name) {
        case 'w:t':
          inText = false
          break
        case 'w:r':
          run = null
          break
        case 'w:p': {
          const paragraph = paragraphs.pop()
          if (paragraph !== undefined) endParagraph(paragraph)
          break
        }
        case 'w:tc': {
          const table = tables.at(-1)
          table?.rows.at(-1)?.push((table.cell ?? []).join(' '))
          if (table !== undefined) table.cell = null
          break
        }
        case 'w:tbl': {
          const table = tables.pop()
          if (table !== undefined) endTable(table)
        }
      }
    },
    blocks: () => blocks,
    sawHidden: () => hidden
  }
}
