import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answered, handClock, newQuestion, newSession, START, turnIdOf, type HandClock } from '../../../test/fakes/historySamples.ts'
import type { History } from './history.ts'
import { openHistory, type OpenHistoryOptions } from './history.worker.ts'

// Threads and processes are started here; a busy machine takes its time over that.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const key = new Uint8Array(32).fill(7)
const never = new AbortController().signal
const fake = (name: string): URL => new URL(`../../../test/fakes/${name}`, import.meta.url)

let dataDir: string
let clock: HandClock
let opened: History[]
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-worker-'))
  clock = handClock()
  opened = []
})
afterEach(async () => {
  for (const history of opened) await history.close()
  rmSync(dataDir, { recursive: true })
})

async function open(change: Partial<OpenHistoryOptions> = {}): Promise<History> {
  const { history } = await openHistory({ dataDir, key, clock, ...change })
  opened.push(history)
  return history
}
const accept = (history: History, n: number, text = `question ${n}`): Promise<unknown> =>
  history.accept({ question: newQuestion(n, text), messageId: `q${n}`, at: START })

describe('the history in its workers', () => {
  it('reports what had to be set aside', async () => {
    writeFileSync(join(dataDir, 'history.db'), 'not a database, '.repeat(1_000))
    const { history, incident } = await openHistory({ dataDir, key, clock })
    opened.push(history)
    const name = readdirSync(dataDir).find((file) => file.startsWith('history-set-aside')) ?? 'none'
    expect(incident).toContain(name)
    expect(await history.listSessions({ limit: 5 })).toEqual([])
  })

  it('fails to open with the reason, and leaves nothing running', async () => {
    writeFileSync(join(dataDir, 'file'), '')
    await expect(openHistory({ dataDir: join(dataDir, 'file', 'x'), key, clock })).rejects.toMatchObject({ code: 'unavailable' })
    const history = await open()
    await expect(openHistory({ dataDir, key, clock })).rejects.toMatchObject({ code: 'conflict' })
    await accept(history, 1).catch(() => undefined)
    await expect(history.listSessions({ limit: 5 })).resolves.toEqual([])
  })

  it('is refused to a second process, whatever that one does', async () => {
    const child = spawn(process.execPath, [fileURLToPath(fake('historyVictim.ts')), dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })
    await once(lines, 'line')
    child.kill('SIGSTOP')
    await expect(open()).rejects.toMatchObject({ code: 'conflict' })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const history = await open()
    expect(await history.session('s1')).not.toBeNull()
  })

  it('shows a read every write that was resolved before', async () => {
    const history = await open()
    await history.createSession(newSession('s1'))
    for (let n = 1; n <= 25; n++) {
      await accept(history, n, `question ${n} zeitgeist`)
      const [count, { hits }] = await Promise.all([history.waitingCount(), history.search({ text: 'zeitgeist', limit: 50 }, never)])
      expect([count, hits.length]).toEqual([n, n])
    }
  })

  it('finishes what was asked for before it closes', async () => {
    const history = await open()
    await history.createSession(newSession('s1'))
    const asked = Array.from({ length: 10 }, (_, n) => accept(history, n + 1))
    await Promise.all([...asked, history.close()])
    const again = await open()
    expect(await again.waitingCount()).toBe(10)
  })

  it('comes back once when a worker died: the call is rejected, what was saved is there', async () => {
    const history = await open({ workerUrl: fake('historyDyingWorker.ts') })
    await history.createSession(newSession('s1'))
    await accept(history, 1)
    await expect(accept(history, 2, 'die now')).rejects.toMatchObject({ code: 'unavailable' })
    expect(await history.waitingCount()).toBe(1)
    await accept(history, 3)
    await history.saveEvents(turnIdOf(1), answered(1, 'still here'))
    expect((await history.search({ text: 'still here', limit: 5 }, never)).hits).toHaveLength(1)

    clock.set(START + 61_000)
    await expect(history.listSessions({ limit: 5, text: 'read and die now' })).rejects.toMatchObject({ code: 'unavailable' })
    expect(await history.waitingCount()).toBe(1)
  })

  it('stays down when it dies again right away, and says what to do', async () => {
    const history = await open({ workerUrl: fake('historyDyingWorker.ts') })
    await history.createSession(newSession('s1'))
    await expect(accept(history, 1, 'die now')).rejects.toMatchObject({ code: 'unavailable' })
    expect(await history.waitingCount()).toBe(0)
    await expect(accept(history, 2, 'die now')).rejects.toMatchObject({ code: 'unavailable' })
    await expect(history.waitingCount()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('restart Aside') })
  })
})
