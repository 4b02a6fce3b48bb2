// The export's renderers on a thread of their own: a page of long answers never delays the main thread.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { CopilotError } from '../../shared/errors.ts'
import { errorOfThread, threadFile } from '../threads.ts'
import type { FromRender, ToRender } from './protocol.ts'
import type { RenderPages } from './renderer.ts'

export function createPageRenderer(url: URL = threadFile(import.meta.url, './worker.ts', 'exportWorker.js')): RenderPages {
  return async function* render(format, pages, signal) {
    signal.throwIfAborted()
    const thread = new Worker(url, { workerData: format, name: 'export', execArgv: [] })
    const ended = Promise.withResolvers<never>()
    // Whoever waits for an answer meets it; between two answers nobody does.
    ended.promise.catch(() => undefined)
    const onAbort = (): void => ended.reject(new CopilotError('cancelled', 'Stopped.'))
    signal.addEventListener('abort', onAbort, { once: true })
    thread.once('error', ended.reject)
    thread.once('exit', () => ended.reject(new Error('The export thread ended before its work')))

    async function ask(message: ToRender): Promise<Uint8Array> {
      const answered = once(thread, 'message', { signal }) as Promise<[FromRender]>
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      thread.postMessage(message)
      const [answer] = await Promise.race([answered, ended.promise])
      if (answer.kind === 'error') throw errorOfThread(answer.error)
      return answer.text
    }

    try {
      yield await ask({ kind: 'begin' })
      for await (const lines of pages) yield await ask({ kind: 'page', lines })
      yield await ask({ kind: 'end' })
    } finally {
      signal.removeEventListener('abort', onAbort)
      await thread.terminate()
    }
  }
}
