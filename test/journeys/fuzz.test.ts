// The fuzz command itself: a small run of every dialect ends well, and what must not happen is found.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { chanceOf, spoil, spoiltText } from '../fuzz/hostile.ts'
import { webSocketAt } from '../fuzz/connection.ts'
import { socketDialect, type Talk } from '../fuzz/socketLane.ts'
import type { Tally } from '../fuzz/tally.ts'
import { startHere } from '../fakes/service-running.ts'

const root = new URL('../../', import.meta.url).pathname

describe('fuzz', () => {
  it('ends well on every dialect', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [`${root}test/fuzz/run.ts`, '--messages', '80', '--seed', '7'], {
      timeout: 150_000
    })
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null') as {
      ok: boolean
      dialects: Record<string, { ok: boolean; messages: number }>
    }
    expect(last).toMatchObject({ ok: true, seed: 7 })
    expect(Object.keys(last.dialects)).toEqual([
      'grpc',
      'erp-ws',
      'erp-socketio',
      'desktop-socketio',
      'thread-socketio',
      'consultant-ws',
      'consultant-rest',
      'rest',
      'sse',
      'webhooks',
      'uploads'
    ])
    for (const { messages } of Object.values(last.dialects)) expect(messages).toBeGreaterThanOrEqual(80)
  }, 160_000)

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

  const asking = '{"type":"ai_status","data":{}}'
  const chat = (id: string) => ({ message: JSON.stringify({ type: 'ai_chat', data: { message: 'x', turn_id: id } }), due: 1 })
  const hearAll =
    (tally: Tally): Talk['hear'] =>
    (text) => {
      tally.came()
      return { answers: (JSON.parse(text) as { data: { turn_id?: string } }).data.turn_id }
    }
  const mistaken: Readonly<Record<string, (tally: Tally) => Talk>> = {
    'not what was specified': () => ({
      bad: () => ({ message: asking, due: 1 }),
      good: chat,
      hear: (text) => {
        throw new Error(`${text} is not what was specified`)
      }
    }),
    // Each question has one reply.
    'replies came for': (tally) => ({ bad: () => ({ message: asking, due: 0 }), good: chat, hear: hearAll(tally) }),
    'replies and 0 of 0 answers have come': (tally) => ({ bad: () => ({ message: asking, due: 2 }), good: chat, hear: hearAll(tally) }),
    'the connection was ended with 1007': (tally) => ({
      bad: () => ({ message: { bytes: Buffer.from([0xc3, 0x28]), isText: true }, due: 1 }),
      good: chat,
      hear: hearAll(tally)
    })
  }

  it.each(Object.entries(mistaken))('finds: %s', async (sentence, talk) => {
    await using here = await startHere()
    const person = { userId: 'anna', token: await here.token() }
    const { grpc, http } = here.service
    const dialect = socketDialect({ name: 'strict', path: '/ws', dial: webSocketAt('/ws'), talk: (_target, tally) => talk(tally) })
    const lane = await dialect.open({ grpc, http, person, other: person, admin: '', webhookSecret: '', patienceMs: 500 })
    await expect(lane.batch({ size: 5, chance: chanceOf(1), number: 0 })).rejects.toThrow(sentence)
    await lane.close()
  })
})
