// A process that imports and is killed while it does: opens the history in the folder it is given and says how far it is.
// Arguments: data folder, file.
import { argv, stdout } from 'node:process'
import { v7 as uuidv7 } from 'uuid'
import { openHistory } from '../../src/main/history/history.worker.ts'
import { createImporter } from '../../src/main/import/importer.ts'
import { createImportReader } from '../../src/main/import/reader.thread.ts'
import { createJobs } from '../../src/main/jobs.ts'

const [, , dataDir = '', file = ''] = argv
const { history } = await openHistory({ dataDir, key: new Uint8Array(32).fill(3), clock: { now: Date.now } })
const jobs = createJobs({ newId: uuidv7, publish: () => undefined, now: Date.now })
let batches = 0
const watched = {
  ...history,
  async importRecords(records: Uint8Array) {
    await history.importRecords(records)
    batches += 1
    stdout.write(`batch ${batches}\n`)
  }
}
const importer = createImporter({
  history: watched,
  jobs,
  reader: createImportReader(),
  newId: uuidv7,
  onImported: () => void stdout.write('visible\n')
})
const preview = await importer.read(file)
stdout.write('read\n')
await importer.confirm(preview.id, '')
stdout.write('done\n')
await history.close()
