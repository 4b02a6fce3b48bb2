// A worker thread of the fixture app.
import { parentPort, workerData } from 'node:worker_threads'

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage({ squared: (workerData as number) ** 2, folder: import.meta.dirname })
