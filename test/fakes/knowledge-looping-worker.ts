// A reader's thread that a document has caught: it never answers, or eats memory outside its heap.
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', ({ name }: { name: string }) => {
  const eaten: Uint8Array[] = []
  if (name === 'quick.txt') return parentPort?.postMessage({ kind: 'read', hash: '1:x', passages: [], date: null, remarks: [] })
  if (name === 'dies.txt') throw new Error('a bug in a reader')
  for (;;) if (name === 'hungry.txt' && eaten.length < 3_000) eaten.push(new Uint8Array(1_048_576).fill(1))
})
