// Documents of every kind for tests, made as their programs make them: PDFs by pdf-lib, Word documents as zipped XML.
import { PDFDocument, rgb, StandardFonts } from 'pdf-lib'
import { zipOf } from './chatgptExport.ts'

export interface PdfText {
  readonly text: string
  readonly size?: number
  /** White on white. */
  readonly isWhite?: boolean
}

/** A page for each list; an empty list is a page with nothing but a drawing, like a scanned one. */
export async function pdfOf(pages: readonly (readonly PdfText[])[], modified = new Date('2025-03-04T00:00:00Z')): Promise<Uint8Array> {
  const pdf = await PDFDocument.create()
  const font = await pdf.embedFont(StandardFonts.Helvetica)
  for (const texts of pages) {
    const page = pdf.addPage([595, 842])
    if (texts.length === 0) page.drawRectangle({ x: 50, y: 50, width: 400, height: 700, color: rgb(0.8, 0.8, 0.8) })
    let y = 780
    for (const { text, size = 11, isWhite = false } of texts) {
      page.drawText(text, { x: 50, y, size, font, color: isWhite ? rgb(1, 1, 1) : rgb(0, 0, 0), maxWidth: 480, lineHeight: size * 1.3 })
      y -= Math.max(40, size * 3)
    }
  }
  pdf.setModificationDate(modified)
  return await pdf.save({ useObjectStreams: true })
}

const NAMES = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'

export function docxParagraph(text: string, { style = '', run = '', isPoint = false } = {}): string {
  const properties = `${style === '' ? '' : `<w:pStyle w:val="${style}"/>`}${isPoint ? '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>' : ''}`
  return `<w:p><w:pPr>${properties}</w:pPr><w:r><w:rPr>${run}</w:rPr><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`
}

export function docxTable(rows: readonly (readonly string[])[]): string {
  return `<w:tbl>${rows.map((row) => `<w:tr>${row.map((cell) => `<w:tc>${docxParagraph(cell)}</w:tc>`).join('')}</w:tr>`).join('')}</w:tbl>`
}

/** A Word document as German Word saves it: its headings are called "berschrift1". */
export function docxOf(body: string): Buffer {
  return zipOf([
    {
      name: '[Content_Types].xml',
      data: '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>'
    },
    {
      name: 'word/styles.xml',
      data: `<w:styles ${NAMES}><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style><w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style><w:style w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="berschrift2"/></w:style></w:styles>`
    },
    { name: 'word/document.xml', data: `<?xml version="1.0" encoding="UTF-8"?><w:document ${NAMES}><w:body>${body}</w:body></w:document>` },
    { name: 'word/comments.xml', data: `<w:comments ${NAMES}>${docxParagraph('A comment that stays where it is')}</w:comments>` },
    {
      name: 'docProps/core.xml',
      data: '<cp:coreProperties><dcterms:modified xsi:type="dcterms:W3CDTF">2025-02-03T10:00:00Z</dcterms:modified></cp:coreProperties>'
    }
  ])
}
