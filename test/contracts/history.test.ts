// The contract of the history on every adapter: the encrypted database in its workers, and the fake in memory.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { openHistory } from '../../src/main/history/history.worker.ts'
import { createMemoryHistory } from '../fakes/history.memory.ts'
import { historyContract } from './history.ts'

// Two threads are started for each test; a busy machine takes its time over that.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

historyContract('the encrypted history in its workers', async (clock) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'aside-history-'))
  const { history } = await openHistory({ dataDir, key: new Uint8Array(32).fill(7), clock })
  return {
    history,
    close: async () => {
      await history.close()
      await rm(dataDir, { recursive: true })
    }
  }
})

historyContract('the history in memory', async (clock) => {
  const history = createMemoryHistory({ clock })
  return Promise.resolve({ history, close: () => history.close() })
})
