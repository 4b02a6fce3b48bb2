// Entry of the export's thread: turns pages of records into the text of a file, one for one, until it is ended.
import { parentPort, workerData } from 'node:worker_threads'
import type { FileRecord } from '../history/records.ts'
import { threadError } from '../threads.ts'
import { createCsvRenderer } from './csv.ts'
import { createHtmlRenderer } from './html.ts'
import { createMarkdownRenderer } from './markdown.ts'
import type { FromRender, ToRender } from './protocol.ts'
import type { ExportRenderer, RenderedFormat } from './renderer.ts'

if (parentPort === null) throw new Error('The export thread is started by its client, not by itself')
const port = parentPort

const renderers: Readonly<Record<RenderedFormat, () => ExportRenderer>> = {
  csv: createCsvRenderer,
  html: createHtmlRenderer,
  markdown: createMarkdownRenderer
}
const renderer = renderers[workerData as RenderedFormat]()

function recordsOf(lines: Uint8Array): FileRecord[] {
  const text = new TextDecoder().decode(lines)
  // What the history's own thread wrote.
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as FileRecord]))
}

function textOf(message: ToRender): string {
  switch (message.kind) {
    case 'begin':
      return renderer.begin()
    case 'page':
      return renderer.page(recordsOf(message.lines))
    case 'end':
      return renderer.end()
  }
}

function say(message: FromRender, transfer: ArrayBuffer[]): void {
  port.postMessage(message, transfer)
}

port.on('message', (message: ToRender) => {
  try {
    const text = new TextEncoder().encode(textOf(message))
    say({ kind: 'text', text }, [text.buffer])
  } catch (error) {
    say({ kind: 'error', error: threadError(error) }, [])
  }
})
