// Loaded before the service's program: gives it Electron's `process.parentPort`, over this process's IPC channel.
import { EventEmitter } from 'node:events'

const port = new EventEmitter()
process.on('message', (data) => port.emit('message', { data }))
Object.assign(process, { parentPort: Object.assign(port, { postMessage: (message: unknown) => process.send?.(message) }) })
