// The usage ledger as CSV (RFC 4180) for spreadsheets: a byte order mark, or Excel takes it for another encoding than UTF-8.
import type { FileRecordOf } from '../history/records.ts'
import type { ExportRenderer } from './renderer.ts'

type Row = FileRecordOf<'usage'>

const COLUMNS: readonly (readonly [name: string, cell: (row: Row) => string])[] = [
  ['time', (row) => row.at],
  ['client', (row) => textCell(row.clientName)],
  ['session', (row) => textCell(row.sessionTitle)],
  ['provider', (row) => textCell(row.provider)],
  ['model', (row) => textCell(row.model)],
  ['input_tokens', (row) => String(row.inputTokens)],
  ['output_tokens', (row) => String(row.outputTokens)],
  ['cached_tokens', (row) => String(row.cachedTokens)],
  ['cost_usd', (row) => dollars(row.costMicros)],
  ['failovers', (row) => String(row.failovers)],
  ['first_text_ms', (row) => numberCell(row.firstTextMs)],
  ['total_ms', (row) => numberCell(row.totalMs)],
  ['error', (row) => textCell(row.errorCode ?? '')],
  ['session_id', (row) => textCell(row.sessionId)],
  ['turn_id', (row) => textCell(row.turnId)]
]

/** What a spreadsheet would take for a formula becomes text (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r\n]/

export function textCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const numberCell = (value: number | null): string => (value === null ? '' : String(value))

/** Exact: all six places, without a float in between. */
export function dollars(micros: number): string {
  const digits = String(micros).padStart(7, '0')
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`
}

export function createCsvRenderer(): ExportRenderer {
  return {
    begin: () => `\uFEFF${COLUMNS.map(([name]) => name).join(',')}\r\n`,
    page: (records) => records.map((record) => (record.kind === 'usage' ? `${COLUMNS.map(([, cell]) => cell(record)).join(',')}\r\n` : '')).join(''),
    end: () => ''
  }
}
