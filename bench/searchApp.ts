// Search as the app has it, but for Electron's pipe: the window's side of the bridge, values cloned on the way as IPC does,
// the real router and handlers, the real history with its threads.
import { createHash } from 'node:crypto'
import { constants, copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { History } from '../src/main/history/history.ts'
import { openHistory } from '../src/main/history/history.worker.ts'
import { createBridge } from '../src/renderer/bridge.ts'
import type { SearchResult } from '../src/shared/domain.ts'
import { systemClock } from '../src/shared/kit/clock.ts'
import { createFakeCore } from '../test/fakes/core.ts'
import { createCorpus } from './corpus.ts'
import { buildHistory } from './historyBuild.ts'
import type { Asked } from './searchQueries.ts'

const KEY = new Uint8Array(32).fill(9)
/** What decides what is in a built history. */
const SOURCES = [
  '../src/main/history/search/words.ts',
  '../src/main/history/sqlite/searchIndex.ts',
  '../src/main/history/sqlite/upkeep.ts',
  '../src/main/history/sqlite/migrations/index.ts',
  './corpus.ts',
  './historyBuild.ts'
]

export interface SearchApp {
  readonly history: History
  readonly openMs: number
  /** Rejects with `cancelled` when a later one overtook it. */
  search(asked: Asked, signal?: AbortSignal): Promise<SearchResult>
  /** Closes it and removes its files. */
  close(): Promise<void>
}

/** A built history of so many messages: made once, then kept in the system's folder for temporary files. */
export function builtHistory(messages: number, say: (text: string) => void): { readonly folder: string; readonly buildS: number | null } {
  const version = createHash('sha256')
  for (const source of SOURCES) version.update(readFileSync(new URL(source, import.meta.url)))
  const folder = join(tmpdir(), `aside-bench-history-${messages}-${version.digest('hex').slice(0, 12)}`)
  if (existsSync(folder)) return { folder, buildS: null }
  say(`building a history of ${messages} messages`)
  const began = performance.now()
  const unfinished = mkdtempSync(`${folder}-`)
  buildHistory({ dataDir: unfinished, key: KEY, messages, corpus: createCorpus() })
  renameSync(unfinished, folder)
  return { folder, buildS: Math.round((performance.now() - began) / 100) / 10 }
}

/** Opens a copy: what is written during a run is not there in the next. */
export async function openSearchApp(folder: string): Promise<SearchApp> {
  const dataDir = mkdtempSync(join(tmpdir(), 'aside-bench-run-'))
  copyFileSync(join(folder, 'history.db'), join(dataDir, 'history.db'), constants.COPYFILE_FICLONE)
  const began = performance.now()
  const { history } = await openHistory({ dataDir, key: KEY, clock: systemClock })
  const openMs = performance.now() - began
  const { desktop } = await createFakeCore({ history: () => history })
  const bridge = createBridge({
    window: 'main',
    call: async (method, input) => structuredClone(await desktop.router.call(method, structuredClone(input))),
    onPush: () => () => undefined
  })
  return {
    history,
    openMs,
    search: (asked, signal) => bridge.call('search.query', { limit: 30, ...asked }, signal === undefined ? {} : { signal }),
    async close() {
      // Closes the history as well.
      await desktop.stop()
      rmSync(dataDir, { recursive: true })
    }
  }
}
