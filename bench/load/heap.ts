// How much memory a Node program really uses, asked from outside by its inspector: after a collection, so that garbage does not count.
// The program must run with `--inspect-port=0`; the inspector starts when it is asked for, by SIGUSR1.
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { WebSocket } from 'ws'

export interface HeapWatch {
  /** Bytes in use after a collection: V8's heap, and what hangs on it outside. */
  used(): Promise<number>
  stop(): void
}

const STARTS_WITHIN_MS = 10_000

/** `stderr`: where the program says its inspector's address. */
export async function watchHeap(pid: number, stderr: Readable): Promise<HeapWatch> {
  const said = address(stderr)
  process.kill(pid, 'SIGUSR1')
  const socket = new WebSocket(await said)
  await once(socket, 'open')
  let lastId = 0
  const waiting = new Map<number, (result: Record<string, number>) => void>()
  socket.on('message', (data: Buffer) => {
    const { id, result } = JSON.parse(data.toString()) as { id?: number; result: Record<string, number> }
    if (id === undefined) return
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  const call = (method: string): Promise<Record<string, number>> =>
    new Promise((resolve) => {
      lastId += 1
      waiting.set(lastId, resolve)
      socket.send(JSON.stringify({ id: lastId, method }))
    })
  return {
    async used() {
      await call('HeapProfiler.collectGarbage')
      const { usedSize = Number.NaN, backingStorageSize = 0 } = await call('Runtime.getHeapUsage')
      return usedSize + backingStorageSize
    },
    stop: () => socket.terminate()
  }
}

async function address(stderr: Readable): Promise<string> {
  let text = ''
  for (const until = AbortSignal.timeout(STARTS_WITHIN_MS); ;) {
    const [part] = (await once(stderr, 'data', { signal: until })) as [string]
    text += part
    const found = /ws:\/\/\S+/.exec(text)?.[0]
    if (found !== undefined) return found
  }
}
