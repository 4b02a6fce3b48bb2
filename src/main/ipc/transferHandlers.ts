// The bridge's calls that take the history out and bring one in. Main asks for the file; a window never names a path.
import type { ExportRequest } from '../../shared/domain.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Exporter } from '../export/exporter.ts'
import type { Importer } from '../import/importer.ts'
import type { FileKind, Shell } from '../shell.ts'
import { localDay } from '../usage/report.ts'
import type { BridgeHandlers } from './router.ts'

export type TransferHandlers = Pick<BridgeHandlers, 'export.write' | 'import.read' | 'import.confirm' | 'import.discard'>

export interface TransferOptions {
  readonly exporter: Exporter
  readonly importer: Importer
  readonly shell: Pick<Shell, 'chooseSaveFile' | 'chooseOpenFile'>
  readonly clock: Clock
}

const KINDS: Readonly<Record<ExportRequest['format'], FileKind>> = {
  json: { name: 'JSON', extensions: ['json'] },
  markdown: { name: 'Markdown', extensions: ['md'] },
  html: { name: 'Web page', extensions: ['html'] },
  csv: { name: 'CSV', extensions: ['csv'] }
}

/** `aside-northwind-2026-01-31.json`: what it is, whose, and when it was written. */
export function exportName({ format, clientName = '' }: ExportRequest, now: number): string {
  const client = clientName
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60)
  const words = ['aside', ...(format === 'csv' ? ['usage'] : []), ...(client === '' ? [] : [client]), localDay(now)]
  return `${words.join('-')}.${KINDS[format].extensions[0] ?? format}`
}

export function createTransferHandlers({ exporter, importer, shell, clock }: TransferOptions): TransferHandlers {
  return {
    async 'export.write'(request) {
      const kinds = [KINDS[request.format]]
      const path = await shell.chooseSaveFile({ title: 'Export', defaultName: exportName(request, clock.now()), kinds })
      return path === null ? null : await exporter.write(request, path)
    },
    async 'import.read'() {
      const path = await shell.chooseOpenFile({ title: 'Import', kinds: [{ name: 'Aside or ChatGPT export', extensions: ['json', 'zip'] }] })
      return path === null ? null : await importer.read(path)
    },
    'import.confirm': ({ id, clientName }) => importer.confirm(id, clientName ?? ''),
    'import.discard': ({ id }) => {
      importer.discard(id)
      return null
    }
  }
}
