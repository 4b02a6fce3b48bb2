// Work on the whole database, in the thread that was started for it.
import { crossed, type FromTask, type TaskResult, type TaskStart } from './protocol.ts'
import { makeBackup, prepareRestore } from './sqlite/backups.ts'
import { prepareRekey } from './sqlite/rekey.ts'

const NOTHING: TaskResult = { bytes: 0, copy: '', counts: { sessions: 0, messages: 0 } }

export function doTask(start: TaskStart, say: (message: FromTask) => void): void {
  try {
    say({ kind: 'result', result: run(start, (done, total) => say({ kind: 'progress', done, total })) })
  } catch (error) {
    say({ kind: 'failed', error: crossed(error) })
  }
}

function run({ dataDir, now, task }: TaskStart, progress: (done: number, total: number) => void): TaskResult {
  switch (task.kind) {
    case 'backup':
      return { ...NOTHING, bytes: makeBackup({ ...task, dataDir, now, progress }) }
    case 'restore':
      return { ...NOTHING, ...prepareRestore({ ...task, dataDir, now, progress }) }
    case 'rekey':
      return { ...NOTHING, copy: prepareRekey({ ...task, dataDir, progress }) }
  }
}
