// Entry of the library's thread: reads one document after the other, each when it is told to.
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { parentPort } from 'node:worker_threads'
import type { FromReader, ReadOrder } from './reading/protocol.ts'
import { READER_VERSION, readDocument } from './reading/readDocument.ts'
import { UnreadableDocument } from './reading/reading.ts'

if (parentPort === null) throw new Error('The thread of the library is started by its reader, not by itself')
const port = parentPort

function say(message: FromReader): void {
  port.postMessage(message)
}

async function contentOf(path: string, mostBytes: number): Promise<Uint8Array> {
  // A link could lead out of the client's folder; without O_NONBLOCK, a pipe would be waited for.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | (constants.O_NOFOLLOW ?? 0))
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new UnreadableDocument('This is no file.')
    if (stats.size > mostBytes) throw new UnreadableDocument(`This file is larger than ${Math.round(mostBytes / 1_048_576)} MB. Divide it.`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

async function read({ path, name, knownHash, mostBytes }: ReadOrder): Promise<void> {
  let hash: string | null = null
  try {
    const bytes = await contentOf(path, mostBytes)
    hash = `${READER_VERSION}:${createHash('sha256').update(`${name}\n`).update(bytes).digest('hex')}`
    if (hash === knownHash) return say({ kind: 'same' })
    const found = await readDocument(name, bytes, (done, total) => say({ kind: 'progress', done, total }))
    say({ kind: 'read', hash, ...found })
  } catch (error) {
    if (error instanceof UnreadableDocument) return say({ kind: 'unreadable', hash, reason: error.message })
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const reason =
      code.startsWith('E') && !code.startsWith('ERR_') ? `This file could not be opened (${code}).` : 'This document is damaged: reading it failed.'
    say({ kind: 'unreadable', hash, reason })
  }
}

let reading: Promise<void> = Promise.resolve()
port.on('message', (order: ReadOrder) => {
  reading = reading.then(() => read(order))
})
