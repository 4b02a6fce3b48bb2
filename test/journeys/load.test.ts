// npm run load itself: it carries a small load on the real service and says so, and each thing that can be lost or wrong is found.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { describe, expect, it } from 'vitest'
import { numberIn, piecesOf } from '../../bench/load/answers.ts'
import { startChild, told } from '../../bench/load/child.ts'
import type { Asked, GeneratorAnswer, GeneratorOrder } from '../../bench/load/generator.ts'
import { missedBars, type LoadAsked } from '../../bench/load/verdict.ts'
import type { TurnEventBody } from '../../src/shared/turn.ts'
import { PROTOCOL_VERSION, type AiStreamRequest } from '../../src/shared/wire/socket.ts'
import { root } from '../fakes/service-running.ts'
import { hasRedisServer } from '../servers/redis.ts'

const SMALL = ['--connections', '12', '--library', '3', '--rate', '10', '--seconds', '2', '--warm-up', '0.5', '--rehearsal', '0', '--idle-ms', '50']

async function load(...args: string[]): Promise<{ code: number | null; result: Record<string, unknown> }> {
  const child = spawn(process.execPath, [`${root}bench/load.ts`, ...SMALL, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, result: JSON.parse(output.trim().split('\n').at(-1) ?? '') as Record<string, unknown> }
}

describe('load', { timeout: 60_000 }, () => {
  it('asks the real service, checks what comes back and what is kept, and is ok', async () => {
    const { code, result } = await load()
    expect(result).toMatchObject({
      ok: true,
      missed: [],
      sent: 22,
      answered: 22,
      askedAgain: { asked: 22, same: 22 },
      kept: { turns: 22, ended: 22 },
      measured: 20
    })
    expect(code).toBe(0)
  })

  it.skipIf(!hasRedisServer)('asks two processes on one Redis, each also for what the other has answered', async () => {
    const { code, result } = await load('--processes', '2')
    expect(result).toMatchObject({
      ok: true,
      missed: [],
      processes: 2,
      answered: 22,
      askedAgain: { asked: 22, same: 22 },
      kept: { turns: 22, ended: 22 }
    })
    expect(code).toBe(0)
  })

  it('is not ok when answers end in good order but lack a piece', async () => {
    const { code, result } = await load('--plant-short', '10')
    expect(code).toBe(1)
    // Numbers 0, 10 and 20 of 22, and each of them once more when it is asked again.
    expect(result).toMatchObject({ ok: false, errors: 6, answered: 19, lost: 0 })
  })
})

/** What a stand-in for the service does to every tenth question. */
type Plant = 'nothing' | 'swallows it' | 'never ends' | 'skips a number' | 'ends twice' | 'garbles a letter' | 'refuses' | 'hangs up'
const PLANTED_EVERY = 10
const PIECES = 6

/** Asks a stand-in that behaves but for the plant. */
async function askPlanted(plant: Plant): Promise<Asked> {
  const http = createServer()
  const io = new Server(http, { transports: ['websocket'] })
  io.on('connection', (socket) => {
    socket.emit('ai_hello', { protocol: PROTOCOL_VERSION, version: '0', answered_by: null })
    socket.on('ai_stream', (request: AiStreamRequest, ack: (answer: object) => void) => {
      const number = numberIn(request.message)
      const does = number % PLANTED_EVERY === 0 ? plant : 'nothing'
      const turnId = request.turn_id ?? ''
      if (does === 'swallows it') return
      if (does === 'refuses') return ack({ ok: false, error: { code: 'unavailable', message: 'no' } })
      if (does === 'hangs up') return void socket.disconnect(true)
      ack({ ok: true, message_id: 'm', turn_id: turnId, protocol: PROTOCOL_VERSION })
      let seq = 0
      const say = (body: TurnEventBody): void => {
        seq += 1
        const event = { ...body, turnId, seq, at: 0 }
        socket.emit('ai_stream', {
          content: body.type === 'delta' ? body.text : '',
          is_final: body.type === 'done',
          message_id: 'm',
          turn_id: turnId,
          event
        })
      }
      say({ type: 'accepted', messageId: 'm' })
      for (const [index, text] of piecesOf(number, PIECES).entries()) {
        if (does === 'skips a number' && index === 3) seq += 1
        say({ type: 'delta', text: does === 'garbles a letter' && index === 2 ? `x${text.slice(1)}` : text })
      }
      if (does === 'never ends') return
      say({ type: 'done', messageId: 'm', finish: 'stop' })
      if (does === 'ends twice') say({ type: 'done', messageId: 'm', finish: 'stop' })
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  try {
    await using generator = startChild<GeneratorOrder, GeneratorAnswer>('generator.ts')
    await told(generator, 'ready')
    const { port } = http.address() as AddressInfo
    generator.send({ type: 'connect', order: { ports: [port], tokens: ['t'], connections: 4, library: 2 } })
    await told(generator, 'connected')
    generator.send({ type: 'ask', order: { rate: 100, seconds: 0.4, warmUpSeconds: 0, pieces: PIECES, settleMs: 300, again: 0 } })
    await told(generator, 'measuring')
    return (await told(generator, 'asked')).asked
  } finally {
    await io.close()
  }
}

describe('the clients of load', { timeout: 20_000 }, () => {
  it('find nothing where nothing is wrong', async () => {
    expect(await askPlanted('nothing')).toMatchObject({ sent: 40, answered: 40, errors: 0, lost: 0, pieces: { mean: 6, fewest: 6 } })
  })

  it.each<[Plant, Partial<Asked>]>([
    ['swallows it', { answered: 36, errors: 0, lost: 4 }],
    ['never ends', { answered: 36, errors: 0, lost: 4 }],
    ['skips a number', { answered: 36, errors: 4, lost: 0 }],
    ['ends twice', { answered: 40, errors: 4, lost: 0 }],
    ['garbles a letter', { answered: 36, errors: 4, lost: 0 }],
    ['refuses', { answered: 36, errors: 4, lost: 0 }]
  ])('find every question whose service %s', async (plant, found) => {
    expect(await askPlanted(plant)).toMatchObject({ sent: 40, connectionsLost: 0, ...found })
  })

  it('find connections that were lost, and their questions', async () => {
    const asked = await askPlanted('hangs up')
    expect(asked.connectionsLost).toBeGreaterThan(0)
    expect(asked.lost).toBeGreaterThan(0)
  })
})

describe('the verdict of load', () => {
  const few = { p50: 1, p99: 1, max: 1 }
  const times = { acceptedMs: few, firstPieceMs: few, endMs: few, sentLateMs: few }
  const counts = {
    sent: 300,
    answered: 300,
    errors: 0,
    lost: 0,
    connectionsLost: 0,
    again: { asked: 9, same: 9 },
    measured: 300,
    reachedPerSecond: 99,
    pieces: { mean: 6, fewest: 6 }
  }
  const asked: Asked = { ...counts, ...times, cpuMicros: 1, seconds: 3, examples: [] }
  const about: LoadAsked = { rate: 100, seconds: 3, pieces: 6, kept: { turns: 300, ended: 300 }, rehearsed: null }

  it('is ok when all bars are met', () => {
    expect(missedBars(asked, about)).toEqual([])
  })

  it.each<[string, Partial<Asked>, Partial<LoadAsked>]>([
    ['an error', { errors: 1 }, {}],
    ['a lost question', { lost: 1 }, {}],
    ['a lost connection', { connectionsLost: 1 }, {}],
    ['an answer too few', { answered: 299 }, {}],
    ['a rate that was not kept up', { reachedPerSecond: 70 }, {}],
    ['another answer when asked again', { again: { asked: 9, same: 8 } }, {}],
    ['nothing measured', { measured: 0 }, {}],
    ['a model that does not stream', {}, { pieces: 1 }],
    ['a question that the store lacks', {}, { kept: { turns: 299, ended: 299 } }],
    ['an end that the store lacks', {}, { kept: { turns: 300, ended: 299 } }],
    ['an error of the rehearsal', {}, { rehearsed: { ...asked, sent: 0, answered: 0, errors: 1 } }]
  ])('names %s', (_what, wrong, wrongAbout) => {
    expect(missedBars({ ...asked, ...wrong }, { ...about, ...wrongAbout })).not.toEqual([])
  })
})
