// A whole export as lines, and a whole import from them, for tests of the history's port.
import type { Counts } from '../../src/shared/domain.ts'
import type { BulkHistory, ExportCursor, ExportScope } from '../../src/main/history/bulk.ts'
import { packRecords, recordSchema, type HistoryRecord } from '../../src/main/history/records.ts'

/** Every page of the transcripts, then of the ledger. */
export async function exportLines(history: BulkHistory, scope: ExportScope = {}): Promise<string[]> {
  let text = ''
  for (const part of ['transcripts', 'usage'] as const) {
    let after: ExportCursor | null = null
    do {
      const page = await history.exportPage({ ...scope, part, after })
      text += new TextDecoder('utf-8', { fatal: true }).decode(page.lines)
      after = page.next
    } while (after !== null)
  }
  return text.split('\n').filter((line) => line !== '')
}

export function recordsOf(lines: readonly string[]): HistoryRecord[] {
  return lines.map((line) => recordSchema.parse(JSON.parse(line)))
}

/** `batch`: records handed over at a time. */
export async function importLines(history: BulkHistory, lines: readonly string[], batch = 7): Promise<Counts> {
  const records = recordsOf(lines)
  await history.beginImport()
  for (let at = 0; at < records.length; at += batch) await history.importRecords(packRecords(records.slice(at, at + batch)))
  const counts = await history.finishImport()
  while ((await history.indexImported()) > 0);
  return counts
}
