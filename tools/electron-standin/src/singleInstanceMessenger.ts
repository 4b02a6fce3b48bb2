// A process of a moment: brings what stands on stdin to the first instance's socket, and exits 0 when it was heard.
import { createConnection } from 'node:net'

const connection = createConnection(process.argv[2] ?? '')
connection.on('error', () => process.exit(1))
connection.on('data', () => process.exit(0))
connection.on('close', () => process.exit(1))
process.stdin.pipe(connection, { end: false })
