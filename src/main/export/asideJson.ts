// Pages of records as the JSON file that can be imported again: one record a line, so that two exports can be compared.
// No time and no place of its own is in it: the same history makes the same bytes.
import type { ExportPage } from '../history/bulk.ts'

/** As docs/import-export.md documents it. */
const BEGIN = '{"format":"aside-history","version":1,"records":[\n'
const LINE_END = 0x0a

export async function* asideJson(pages: AsyncIterable<ExportPage>): AsyncGenerator<Uint8Array> {
  const counts = { sessions: 0, messages: 0, usage: 0 }
  let isFirst = true
  yield Buffer.from(BEGIN)
  for await (const page of pages) {
    counts.sessions += page.sessions
    counts.messages += page.messages
    counts.usage += page.usage
    const pieces: Uint8Array[] = []
    for (let from = 0; from < page.lines.length;) {
      const end = page.lines.indexOf(LINE_END, from)
      pieces.push(Buffer.from(isFirst ? '' : ',\n'), page.lines.subarray(from, end))
      isFirst = false
      from = end + 1
    }
    yield Buffer.concat(pieces)
  }
  yield Buffer.from(`${isFirst ? '' : '\n'}],"counts":${JSON.stringify(counts)}}\n`)
}
