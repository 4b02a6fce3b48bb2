// A table of values, such as a price list: the first line names the columns. Pure.
import { CsvError, parse } from 'csv-parse/sync'
import { decode } from './decode.ts'
import { UnreadableDocument, type Reading } from './reading.ts'

const DELIMITERS = [',', ';', '\t', '|'] as const
const MOST_COLUMNS = 200

export function readCsv(bytes: Uint8Array): Reading {
  const text = decode(bytes)
  const records = recordsOf(text, delimiterOf(text))
  const [header = [], ...rows] = records
  if (header.length > MOST_COLUMNS) throw new UnreadableDocument(`This table has more than ${MOST_COLUMNS} columns. Nothing was taken from it.`)
  const isNamed = header.some((cell) => cell !== '' && Number.isNaN(Number(cell.replaceAll(',', '.'))))
  if (!isNamed && rows.length > 0) {
    const named = header.map((_, index) => `Column ${index + 1}`)
    return {
      blocks: [{ kind: 'table', header: named, rows: records }],
      date: null,
      remarks: ['The first line names no columns; they were numbered.']
    }
  }
  return { blocks: header.length === 0 ? [] : [{ kind: 'table', header, rows }], date: null, remarks: [] }
}

function recordsOf(text: string, delimiter: string): string[][] {
  try {
    return parse(text, {
      delimiter,
      bom: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      trim: true,
      max_record_size: 1_000_000
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new UnreadableDocument(`This is no table that can be read: ${error.message.split('\n')[0]}`, { cause: error })
  }
}

/** The one that the first lines have most of, outside of quotes. */
function delimiterOf(text: string): string {
  const head = text.slice(0, 8_192).replace(/"[^"]*"/g, '')
  return DELIMITERS.map((sign) => ({ sign, count: head.split(sign).length })).reduce((best, next) => (next.count > best.count ? next : best)).sign
}
