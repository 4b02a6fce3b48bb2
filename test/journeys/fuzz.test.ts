// The fuzz command itself: a small run of every dialect ends well, and what must not happen is found.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { chanceOf, spoil, spoiltText } from '../fuzz/hostile.ts'
import { socketDialect } from '../fuzz/sockets.ts'
import { startHere } from '../fakes/service-running.ts'

const root = new URL('../../', import.meta.url).pathname

describe('fuzz', () => {
  it('ends well on every dialect', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [`${root}test/fuzz/run.ts`, '--messages', '400', '--seed', '7'], {
      timeout: 100_000
    })
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null') as {
      ok: boolean
      dialects: Record<string, { ok: boolean; messages: number }>
    }
    expect(last).toMatchObject({ ok: true, seed: 7 })
    expect(Object.keys(last.dialects)).toEqual(['grpc', 'erp-ws', 'erp-socketio', 'consultant-ws', 'thread-socketio', 'rest'])
    for (const { messages } of Object.values(last.dialects)) expect(messages).toBeGreaterThanOrEqual(400)
  }, 110_000)

  it('makes the same messages from the same seed, and hardly any good ones', () => {
    const good = { type: 'ai_chat', data: { message: 'x', context: { a: 'b' } } }
    const made = (seed: number): string[] => {
      const chance = chanceOf(seed)
      return Array.from({ length: 500 }, () => spoiltText(spoil(good, chance), chance))
    }
    expect(made(1)).toEqual(made(1))
    expect(made(1)).not.toEqual(made(2))
    expect(made(1).filter((text) => text === JSON.stringify(good)).length).toBeLessThan(10)
  })

  it.each([
    ['an answer that is not specified', '{"type":"ai_hello","data":{},"timestamp":1}', 'not what was specified'],
    ['a good message without an answer', '{"type":"ai_chat","data":{"message":""}}', 'not what was specified']
  ])('finds %s', async (_what, good, sentence) => {
    await using here = await startHere()
    const dialect = socketDialect({
      name: 'strict',
      path: '/ws',
      greeting: null,
      bad: () => '{"type":"ai_status","data":{}}',
      good: () => good,
      read(text) {
        throw new Error(`${text} is not what was specified`)
      }
    })
    const lane = await dialect.open({ grpc: here.service.grpc, http: here.service.http, token: await here.token() })
    await expect(lane.batch(5, chanceOf(1), 0)).rejects.toThrow(sentence)
    await lane.close()
  })
})
