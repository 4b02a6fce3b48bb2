// Writes what was asked for into one file, a page of the history at a time, as a job that can be stopped.
import { basename } from 'node:path'
import type { Counts, ExportRequest } from '../../shared/domain.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { NewId } from '../../shared/kit/clock.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { ExportCursor, ExportPage, ExportRequest as PageRequest } from '../history/bulk.ts'
import type { History } from '../history/history.ts'
import type { JobRun, Jobs } from '../jobs.ts'
import { asideJson } from './asideJson.ts'
import type { RenderPages } from './renderer.ts'
import { writeWhole } from './wholeFile.ts'

export interface Exporter {
  /**
   * Resolves when the file is durable. What it counts is what is in the file; for `csv` the ledger's rows as messages.
   * @throws CopilotError `not_found` when nothing lies in the scope, `unavailable` when it can't be written, `cancelled`
   */
  write(request: ExportRequest, path: string): Promise<Counts & { readonly fileName: string }>
}

export interface ExporterOptions {
  readonly history: History
  readonly jobs: Jobs
  readonly render: RenderPages
  readonly newId: NewId
}

const PARTS: Readonly<Record<ExportRequest['format'], readonly PageRequest['part'][]>> = {
  json: ['transcripts', 'usage'],
  markdown: ['transcripts'],
  html: ['transcripts'],
  csv: ['usage']
}

export function createExporter({ history, jobs, render, newId }: ExporterOptions): Exporter {
  async function write({ format, ...scope }: ExportRequest, path: string, run: JobRun): Promise<Counts> {
    const total = format === 'csv' ? null : await history.exportSize(scope)
    const counts = { sessions: 0, messages: 0, usage: 0 }

    async function* pages(): AsyncGenerator<ExportPage> {
      for (const part of PARTS[format]) {
        let after: ExportCursor | null = null
        do {
          run.signal.throwIfAborted()
          const page: ExportPage = await history.exportPage({ ...scope, part, after })
          counts.sessions += page.sessions
          counts.messages += page.messages
          counts.usage += page.usage
          run.progress(format === 'csv' ? counts.usage : counts.messages, total)
          if (page.lines.length > 0) yield page
          after = page.next
        } while (after !== null)
      }
      // Thrown here, before the file is in its place.
      if (counts.sessions + counts.usage === 0)
        throw new CopilotError('not_found', 'Nothing of the history lies in this choice, so no file was written.')
    }
    async function* lines(): AsyncGenerator<Uint8Array> {
      for await (const page of pages()) yield page.lines
    }

    const content = format === 'json' ? asideJson(pages()) : render(format, lines(), run.signal)
    await writeWhole(path, content, { newId, signal: run.signal })
    return { sessions: counts.sessions, messages: format === 'csv' ? counts.usage : counts.messages }
  }

  return {
    async write(request, path) {
      const fileName = cleanText(basename(path)).slice(0, 200)
      const counts = await jobs.run('export', `Writing ${fileName}`, (run) => write(request, path, run))
      return { ...counts, fileName }
    }
  }
}
