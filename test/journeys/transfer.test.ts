// The history out of one Aside and into another, through the bridge, with the real history, threads and files.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { BridgeInput, BridgeMethod, BridgeOutput } from '../../src/shared/bridge.ts'
import type { History } from '../../src/main/history/history.ts'
import { openHistory } from '../../src/main/history/history.worker.ts'
import { createFakeCore, type FakeCore } from '../fakes/core.ts'
import { chatgptConversation, zipOf } from '../fakes/chatgptExport.ts'
import { fillHistory } from '../fakes/historyFilled.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 30_000 })

let folder = ''
const open: FakeCore[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aside-transfer-'))
})
afterEach(async () => {
  for (const core of open.splice(0)) await core.desktop.stop()
  await rm(folder, { recursive: true, maxRetries: 5 })
})

interface Aside extends FakeCore {
  chosen: string
  call<M extends BridgeMethod>(method: M, input: BridgeInput<M>): Promise<BridgeOutput<M>>
}

/** The desktop core on a real history of its own. */
async function aside(name: string): Promise<Aside> {
  const key = createHash('sha256').update(name).digest()
  const { history } = await openHistory({ dataDir: join(folder, name), key, clock: { now: Date.now } })
  const own = { chosen: '' }
  const core = await createFakeCore({ history: () => history, file: () => own.chosen })
  open.push(core)
  return Object.assign(own, core, {
    async call<M extends BridgeMethod>(method: M, input: BridgeInput<M>): Promise<BridgeOutput<M>> {
      const answer = await core.desktop.router.call(method, input)
      if (!answer.ok) throw Object.assign(new Error(answer.error.message), { code: answer.error.code })
      return answer.value as BridgeOutput<M>
    }
  })
}

const searched = async (one: Aside, text: string): Promise<string[]> =>
  (await one.call('search.query', { text, limit: 100 })).hits.map((hit) => hit.messageId)
const size = async (path: string): Promise<number> => (await stat(path)).size

it('brings 20,000 messages from one Aside into another, word for word, findable, and twice makes no more', async () => {
  const [first, second] = [await aside('first'), await aside('second')]
  await first.call('sessions.remove', { id: first.session.id })
  await second.call('sessions.remove', { id: second.session.id })
  await fillHistory(first.history, { messages: 20_000, sessions: 40 })

  first.chosen = join(folder, 'out.json')
  const written = await first.call('export.write', { format: 'json' })
  expect(written).toEqual({ sessions: 40, messages: 20_000, fileName: 'out.json' })

  second.chosen = first.chosen
  const preview = await second.call('import.read', null)
  expect(preview).toMatchObject({ source: 'aside', sessions: 40, messages: 20_000, known: 0, fileName: 'out.json', remarks: [] })
  expect((await second.call('sessions.list', {})).length).toBe(0)
  expect(await second.call('import.confirm', { id: preview?.id ?? '' })).toEqual({ sessions: 40, messages: 20_000 })
  expect(second.pushes.flatMap(({ deltas }) => deltas.map(({ slice }) => slice))).toContain('history-replaced')

  second.chosen = join(folder, 'again.json')
  await second.call('export.write', { format: 'json' })
  expect((await readFile(second.chosen)).equals(await readFile(first.chosen))).toBe(true)
  expect(await searched(second, 'marker7777')).toEqual(await searched(first, 'marker7777'))
  expect(await searched(second, 'marker7777')).toHaveLength(1)
  const range = { from: 0, to: 8e15 }
  expect((await second.call('usage.report', range)).totals).toEqual((await first.call('usage.report', range)).totals)

  const repeated = await second.call('import.read', null)
  expect(repeated).toMatchObject({ sessions: 40, known: 40 })
  expect(await second.call('import.confirm', { id: repeated?.id ?? '' })).toEqual({ sessions: 0, messages: 0 })
})

it('imports what ChatGPT sent: under the client that was named, not to be sent, found by its words', async () => {
  const one = await aside('one')
  one.chosen = join(folder, 'chatgpt.zip')
  const talk = chatgptConversation('c1', [{ text: 'How large is a t3.medium?' }, { text: 'Two vCPUs, four GiB.', metadata: { model_slug: 'o3' } }])
  await writeFile(one.chosen, zipOf([{ name: 'conversations.json', data: JSON.stringify([talk]) }]))
  const preview = await one.call('import.read', null)
  expect(await searched(one, 't3.medium')).toEqual([])
  expect(await one.call('import.confirm', { id: preview?.id ?? '', clientName: ' Acme ' })).toEqual({ sessions: 1, messages: 2 })
  const [session] = await one.call('sessions.list', { text: 'Conversation c1' })
  expect(session).toMatchObject({ clientName: 'Acme', messageCount: 2, customFields: { 'Imported from': 'ChatGPT', Models: 'o3' } })
  const { messages } = await one.call('messages.page', { sessionId: session?.id ?? '' })
  expect(messages.map(({ role, text, createdAt }) => [role, text, createdAt])).toEqual([
    ['user', 'How large is a t3.medium?', 1_700_000_000_250],
    ['assistant', 'Two vCPUs, four GiB.', 1_700_000_001_250]
  ])
  expect(messages[1]?.answer).toMatchObject({ state: 'done', usage: null, notices: [{ kind: 'imported', text: 'Answered by o3 in ChatGPT.' }] })
  expect(await searched(one, 't3.medium')).toEqual([messages[0]?.id])
  expect(await one.call('outbox.list', null)).toEqual([])
  expect((await one.call('usage.report', { from: 0, to: 8e15 })).totals.turns).toBe(0)
})

it('imports nothing of a file that is another one at the confirmation', async () => {
  const one = await aside('one')
  one.chosen = join(folder, 'conversations.json')
  await writeFile(one.chosen, JSON.stringify([chatgptConversation('c1', [{}, {}])]))
  const preview = await one.call('import.read', null)
  await writeFile(one.chosen, JSON.stringify([chatgptConversation('c2', [{}, {}])]))
  await expect(one.call('import.confirm', { id: preview?.id ?? '' })).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/another one/) as unknown
  })
  await rm(one.chosen)
  await expect(one.call('import.confirm', { id: preview?.id ?? '' })).rejects.toMatchObject({ code: 'not_found' })
  expect((await one.call('sessions.list', {})).map(({ id }) => id)).toEqual([one.session.id])
  await one.call('import.discard', { id: preview?.id ?? '' })
  await expect(one.call('import.confirm', { id: preview?.id ?? '' })).rejects.toThrow(/choose it again/)
})

it('leaves nothing of what a person stopped, neither in the history nor on the disk', async () => {
  const one = await aside('one')
  await fillHistory(one.history, { messages: 4_000, sessions: 4 })
  one.chosen = join(folder, 'stopped.json')
  const stopped = async (work: Promise<unknown>): Promise<void> => {
    await one.until(() => one.pushes.some(({ deltas }) => deltas.some((delta) => delta.slice === 'job' && delta.value.state === 'running')))
    const job = (await one.desktop.snapshot()).jobs.find(({ state }) => state === 'running')
    await one.call('job.cancel', { id: job?.id ?? '' })
    await expect(work).rejects.toMatchObject({ code: 'cancelled' })
    expect((await one.desktop.snapshot()).jobs.find(({ id }) => id === job?.id)).toMatchObject({ state: 'cancelled' })
    one.pushes.length = 0
  }
  await stopped(one.call('export.write', { format: 'html' }))
  expect((await readdir(folder)).toSorted()).toEqual(['one'])

  one.chosen = join(folder, 'in.json')
  await writeFile(one.chosen, JSON.stringify(Array.from({ length: 500 }, (_, n) => chatgptConversation(`c${n}`, [{}, {}, {}, {}]))))
  const before = (await one.call('sessions.list', { limit: 500 })).length
  const preview = await one.call('import.read', null)
  one.pushes.length = 0
  await stopped(one.call('import.confirm', { id: preview?.id ?? '' }))
  expect((await one.call('sessions.list', { limit: 500 })).length).toBe(before)
  expect(await one.call('import.confirm', { id: preview?.id ?? '' })).toEqual({ sessions: 500, messages: 2_000 })
})

it('writes every format, and only what was asked for', async () => {
  const one = await aside('one')
  await fillHistory(one.history, { messages: 300, sessions: 3 })
  for (const format of ['markdown', 'html', 'csv', 'json'] as const) {
    one.chosen = join(folder, `out.${format}`)
    const all = await one.call('export.write', { format })
    const whole = await size(one.chosen)
    const client = await one.call('export.write', { format, clientName: 'Client 1' })
    expect([format, all?.messages, client?.messages]).toEqual([format, format === 'csv' ? 150 : 300, format === 'csv' ? 50 : 100])
    expect(await size(one.chosen)).toBeLessThan(whole / 2)
    await expect(one.call('export.write', { format, clientName: 'Nobody' })).rejects.toMatchObject({ code: 'not_found' })
    expect(await size(one.chosen)).toBeLessThan(whole / 2)
  }
  one.chosen = join(folder, 'none', 'out.json')
  await expect(one.call('export.write', { format: 'json' })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/not written.*history is unchanged/) as unknown
  })
})

/** Imports in a process of its own that is killed when it says the word. */
async function killedAt(word: string, file: string): Promise<void> {
  const child = spawn(execPath, ['test/fakes/historyImportVictim.ts', join(folder, 'victim'), file], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface(child.stdout)) if (line.startsWith(word)) break
  child.kill('SIGKILL')
  await once(child, 'close')
}

it('shows nothing of an import that was killed in the middle, and all of one that was killed behind it', async () => {
  const file = join(folder, 'in.json')
  const talk = (n: number): unknown => chatgptConversation(`c${n}`, [{ text: `unique${n} question` }, { text: 'word '.repeat(800) }])
  await writeFile(file, JSON.stringify(Array.from({ length: 800 }, (_, n) => talk(n))))
  const reopened = async <T>(use: (history: History) => Promise<T>): Promise<T> => {
    const { history, incident } = await openHistory({ dataDir: join(folder, 'victim'), key: new Uint8Array(32).fill(3), clock: { now: Date.now } })
    expect(incident).toBeNull()
    try {
      return await use(history)
    } finally {
      await history.close()
    }
  }
  const never = new AbortController().signal
  for (const word of ['read', 'batch 1', 'batch 4']) {
    await killedAt(word, file)
    await reopened(async (history) => {
      expect([word, await history.listSessions({ limit: 10 })]).toEqual([word, []])
      expect(await history.exportSize({})).toBe(0)
      expect((await history.search({ text: 'question', limit: 10 }, never)).hits).toEqual([])
    })
  }
  await killedAt('visible', file)
  await reopened(async (history) => {
    expect(await history.exportSize({})).toBe(1_600)
    while ((await history.indexImported()) > 0);
    const { hits } = await history.search({ text: 'unique799', limit: 10 }, never)
    expect(hits).toHaveLength(1)
    expect(await history.knownSessions([hits[0]?.sessionId ?? ''])).toHaveLength(1)
  })
})
