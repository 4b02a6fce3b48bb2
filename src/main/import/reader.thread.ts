// The import's reader on a thread of its own: a file of gigabytes, or one made to do harm, never delays the main thread.
import { errorOfThread, runThread, threadFile } from '../threads.ts'
import { TAKEN, type FromImport, type ImportStart } from './protocol.ts'
import type { ImportReader, ReadHandlers } from './reader.ts'
import type { Reading } from './reading.ts'

const TOO_LARGE = 'This file holds a conversation that is too large to be read. Nothing was imported.'

export function createImportReader(url: URL = threadFile(import.meta.url, './worker.ts', 'importWorker.js')): ImportReader {
  async function run(start: ImportStart, { signal, onProgress, onRecords }: ReadHandlers): Promise<Reading> {
    let reading: Reading | null = null
    await runThread<FromImport>({
      name: 'import',
      url,
      data: start,
      signal,
      tooLarge: TOO_LARGE,
      async onMessage(message, thread) {
        switch (message.kind) {
          case 'progress':
            return onProgress(message.done, message.total)
          case 'records':
            await onRecords?.(message.records)
            onProgress(message.done, message.total)
            // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
            return thread.postMessage(TAKEN)
          case 'end':
            reading = message.reading
            return
          case 'error':
            throw errorOfThread(message.error)
        }
      }
    })
    if (reading === null) throw new Error('The import thread ended without a result')
    return reading
  }
  return { read: (path, handlers) => run({ path, withRecords: handlers.onRecords !== undefined, clientName: handlers.clientName ?? '' }, handlers) }
}
