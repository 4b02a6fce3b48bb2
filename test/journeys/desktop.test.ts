// The desktop core with the real service: ask, stream, restart, find again. No windows.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Desktop } from '../../src/main/desktop.ts'
import { reduceTurn, type TurnEvent } from '../../src/shared/turn.ts'
import { diskHolds, startHost } from '../fakes/host.ts'

const QUESTION = 'How do I choose between RDS Multi-AZ and read replicas?'
let dataDir = ''
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'aside-journey-'))
})
afterEach(() => rm(dataDir, { recursive: true, maxRetries: 5 }))

async function ask(desktop: Desktop, text: string): Promise<TurnEvent[]> {
  const session = await desktop.sessionNamed('Northwind review')
  const events: TurnEvent[] = []
  const input = { turnId: uuidv7(), sessionId: session.id, text }
  for await (const event of desktop.askAndFollow(input, { signal: AbortSignal.timeout(15_000), patienceMs: 10_000 })) events.push(event)
  return events
}

it('answers from the knowledge with sources, keeps it encrypted, and finds it after a restart', async () => {
  const first = await startHost({ dataDir })
  const events = await ask(first, QUESTION)
  const view = reduceTurn(events)
  expect(view).toMatchObject({ state: 'done', error: null })
  expect(view.text).toMatch(/Multi-AZ/)
  expect(view.citations.length).toBeGreaterThan(0)
  expect(events.filter((e) => e.type === 'delta').length).toBeGreaterThan(1)
  await first.stop()

  const files = (await readdir(dataDir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dataDir.length + 1))
  expect(files.some((name) => name.startsWith('history'))).toBe(true)
  for (const text of ['choose between', 'Northwind']) expect(await diskHolds(dataDir, files, text)).toEqual([])

  const second = await startHost({ dataDir })
  const found = await second.router.call('search.query', { text: 'multi-az repl' })
  expect(found).toMatchObject({ ok: true, value: { hits: expect.arrayContaining([expect.objectContaining({ role: 'assistant' })]) as unknown } })
  const report = await second.router.call('usage.report', { from: 0, to: Date.now() + 1_000 })
  expect(report).toMatchObject({ ok: true, value: { totals: { turns: 1, failed: 0, costMicros: 0 } } })
  await second.stop()
})

it('says so when the knowledge has nothing on it', async () => {
  const desktop = await startHost({ dataDir })
  const view = reduceTurn(await ask(desktop, 'Who won the football match yesterday?'))
  expect(view.state).toBe('done')
  expect(view.text).toContain('The knowledge base has nothing on this')
  expect(view.citations).toEqual([])
  await desktop.stop()
})

it('goes on with the next question after the service inside was killed', async () => {
  const desktop = await startHost({ dataDir })
  await ask(desktop, QUESTION)
  await desktop.killService()
  expect(reduceTurn(await ask(desktop, 'Which levers reduce S3 storage cost?'))).toMatchObject({ state: 'done', error: null })
  await desktop.stop()
})
