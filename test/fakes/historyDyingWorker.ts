// The history's worker, that dies at once when it is told a question of this text: what a crash of the thread looks like.
import { parentPort, workerData } from 'node:worker_threads'
import type { ToWorker, WorkerStart } from '../../src/main/history/protocol.ts'

export const LAST_WORDS = 'die now'

parentPort?.on('message', (message: ToWorker) => {
  const { role } = workerData as WorkerStart
  if (message.kind === 'call' && role === 'writer' && JSON.stringify(message.args).includes(LAST_WORDS)) process.exit(1)
  if (message.kind === 'call' && role === 'reader' && JSON.stringify(message.args).includes(`read and ${LAST_WORDS}`)) process.exit(1)
})
await import('../../src/main/history/worker.ts')
