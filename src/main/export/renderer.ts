// What turns the records of an export into the text of a file, piece by piece; one for each format that is not the
// records themselves.
import type { ExportRequest } from '../../shared/domain.ts'
import type { FileRecord } from '../history/records.ts'

export type RenderedFormat = Exclude<ExportRequest['format'], 'json'>

export interface ExportRenderer {
  begin(): string
  /** Records come in the order of the export; a page may end anywhere. */
  page(records: readonly FileRecord[]): string
  end(): string
}

/** Pages of records as lines (history/bulk.ts) in, the bytes of the file out. Ends with the pages, or rejects with `cancelled`. */
export type RenderPages = (format: RenderedFormat, pages: AsyncIterable<Uint8Array>, signal: AbortSignal) => AsyncIterable<Uint8Array>
