// Actions across kill -9: what was decided is executed, under one key each, however often the process dies between.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { actionTarget } from '../fakes/action-target.ts'
import { tempFolder } from '../fakes/service-parts.ts'

const victim = fileURLToPath(new URL('../fakes/service-actions-victim.ts', import.meta.url))
const ROUNDS = 5

it('loses no action that was decided, and never uses a second key for one', { timeout: 60_000 }, async () => {
  await using folder = await tempFolder()
  await using target = await actionTarget()
  const decided: string[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const child = spawn(process.execPath, [victim, folder.path, target.host, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })
    let seen = 0
    for await (const line of lines) {
      if (line.startsWith('decided ')) decided.push(line.slice(8))
      // After a different number of decisions each time, in the midst of deliveries.
      if (line.startsWith('decided ') && ++seen === 7 + round * 5) child.kill('SIGKILL')
    }
    if (child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
  }
  const before = target.got.length
  const last = spawn(process.execPath, [victim, folder.path, target.host, 'last', 'drain'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [code] = (await once(last, 'exit')) as [number | null]
  expect(code).toBe(0)
  const keys = new Set(target.got.map(({ key }) => key))
  const wanted = decided.flatMap((id) => [`${id}:a0`, `${id}:a1`])
  expect(wanted.filter((key) => !keys.has(key))).toEqual([])
  expect(decided.length).toBeGreaterThanOrEqual(7 + 12 + 17 + 22 + 27)
  // The body names the same action as its key, so a target that heeds keys executes each once.
  expect(target.got.every(({ key, body }) => key === body.id)).toBe(true)
  // The kills did interrupt deliveries, or this has proven nothing.
  expect(target.got.length).toBeGreaterThan(before)
})
