// Electron's printToPDF options in CDP's words. Pure.
import type { PrintToPDFOptions } from 'electron'

/** Width and height in inches. */
const PAPER: Readonly<Record<string, readonly [number, number]>> = {
  A0: [33.1, 46.8],
  A1: [23.4, 33.1],
  A2: [16.54, 23.4],
  A3: [11.7, 16.54],
  A4: [8.27, 11.7],
  A5: [5.83, 8.27],
  A6: [4.13, 5.83],
  Legal: [8.5, 14],
  Letter: [8.5, 11],
  Tabloid: [11, 17],
  Ledger: [17, 11]
}
/** Electron's default margin, about 1 cm, in inches. */
const MARGIN = 0.4

export function toPdfParameters(options: PrintToPDFOptions) {
  const {
    pageSize = 'Letter',
    margins = {},
    landscape,
    printBackground,
    scale,
    pageRanges,
    displayHeaderFooter,
    headerTemplate,
    footerTemplate,
    preferCSSPageSize
  } = options
  const [paperWidth, paperHeight] = typeof pageSize === 'string' ? (PAPER[pageSize] ?? []) : [pageSize.width, pageSize.height]
  if (paperWidth === undefined || paperHeight === undefined) throw new Error(`Invalid pageSize ${JSON.stringify(pageSize)}`)
  const wanted = {
    paperWidth,
    paperHeight,
    marginTop: margins.top ?? MARGIN,
    marginBottom: margins.bottom ?? MARGIN,
    marginLeft: margins.left ?? MARGIN,
    marginRight: margins.right ?? MARGIN,
    landscape,
    printBackground,
    scale,
    pageRanges,
    displayHeaderFooter,
    headerTemplate,
    footerTemplate,
    preferCSSPageSize
  }
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
}
