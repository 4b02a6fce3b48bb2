// Entry of the import's thread: reads one file, tells what it is, ends.
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { packRecords, type HistoryRecord } from '../history/records.ts'
import { threadError } from '../threads.ts'
import type { FromImport, ImportStart } from './protocol.ts'
import { readImport } from './reading.ts'

if (parentPort === null) throw new Error('The import thread is started by its client, not by itself')
const port = parentPort
const { path, withRecords, clientName } = workerData as ImportStart

function say(message: FromImport, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

/** The client for the sessions that name none. */
function named(record: HistoryRecord): HistoryRecord {
  return record.kind === 'session' && record.clientName === '' ? { ...record, clientName } : record
}

async function run(): Promise<void> {
  const batches = readImport(path)
  for (;;) {
    const next = await batches.next()
    if (next.done === true) return say({ kind: 'end', reading: next.value })
    const { records, done, total } = next.value
    if (!withRecords) {
      say({ kind: 'progress', done, total })
    } else if (records.length > 0) {
      const packed = packRecords(records.map(named))
      const taken = once(port, 'message')
      say({ kind: 'records', records: packed, done, total }, [packed.buffer as ArrayBuffer])
      await taken
    }
  }
}

try {
  await run()
} catch (error) {
  say({ kind: 'error', error: threadError(error) })
}
port.close()
