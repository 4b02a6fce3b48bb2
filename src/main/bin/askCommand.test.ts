// The command against a real local door, without a process of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { numbered } from '../../../test/fakes/transport.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { TurnEventBody } from '../../shared/turn.ts'
import { parseServiceUrl } from '../config.ts'
import { connectToHost } from '../endpoint/client.ts'
import type { EndpointAsk, EndpointHandlers, EndpointStatus } from '../endpoint/endpoint.ts'
import { openEndpoint, type Endpoint } from '../endpoint/server.ts'
import { systemTimers } from '../link/timers.ts'
import { runAsk, type AskCommand } from './askCommand.ts'

const turnId = '0190a000-0000-7000-8000-000000000001'
const answer: readonly TurnEventBody[] = [
  { type: 'accepted', messageId: 'm' },
  { type: 'delta', text: 'Because.' },
  { type: 'done', messageId: 'm', finish: 'stop' }
]
const status: EndpointStatus = {
  version: '1',
  service: null,
  windows: true,
  link: {
    state: 'online',
    transport: 'grpc',
    reason: '',
    retryAt: null,
    since: 1,
    service: { embedded: true, address: '', version: null, answeredBy: null }
  }
}

let dataDir: string
let endpoint: Endpoint | null = null
let asked: EndpointAsk[]
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'aside-ask-'))
  asked = []
})
afterEach(async () => {
  await endpoint?.stop()
  endpoint = null
  await rm(dataDir, { recursive: true })
})

async function host(more: Partial<EndpointHandlers> = {}): Promise<void> {
  const handlers: EndpointHandlers = {
    async *ask(question) {
      asked.push(question)
      yield* numbered(question.turnId, answer)
    },
    stopTurn: () => Promise.resolve(),
    status: () => status,
    show: () => Promise.resolve(),
    stop: null,
    ...more
  }
  endpoint = await openEndpoint({ dataDir, handlers, timers: systemTimers, onBug: () => undefined })
}
const failing = (error: Error): Partial<EndpointHandlers> => ({
  // oxlint-disable-next-line require-yield -- fails before the first event
  async *ask() {
    throw error
  }
})

interface Ran {
  readonly exit: number
  readonly out: string
  readonly note: string
}
async function run(argv: readonly string[], more: Partial<AskCommand> = {}): Promise<Ran> {
  let out = ''
  let note = ''
  const exit = await runAsk({
    argv,
    service: null,
    newId: () => turnId,
    connect: () => connectToHost(dataDir),
    start: () => Promise.reject(new CopilotError('unavailable', 'There is no Electron here.')),
    readInput: () => Promise.resolve(''),
    out: (text) => Promise.resolve(void (out += text)),
    note: (text) => void (note += text),
    onInterrupt: () => () => undefined,
    ...more
  })
  return { exit, out, note }
}

describe('ask', () => {
  test('prints the answer of the running Aside and exits 0', async () => {
    await host()
    expect(await run(['why?', '--session', 'Northwind', '--action', 'clarify'])).toEqual({ exit: 0, out: 'Because.\n', note: '' })
    expect(asked).toEqual([{ turnId, text: 'why?', sessionName: 'Northwind', quickAction: 'clarify' }])
  })
  test('prints the turn’s events, one a line, with --json', async () => {
    await host()
    const { exit, out } = await run(['why?', '--json'])
    expect(exit).toBe(0)
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown)
    ).toEqual(numbered(turnId, answer))
  })
  test('reads the question from standard input', async () => {
    await host()
    expect((await run(['-'], { readInput: () => Promise.resolve('piped\nquestion') })).exit).toBe(0)
    expect(asked[0]?.text).toBe('piped\nquestion')
  })
  test('starts a host when none runs', async () => {
    const start = async (): ReturnType<AskCommand['start']> => {
      await host()
      return (await connectToHost(dataDir))!
    }
    expect(await run(['why?'], { start })).toEqual({ exit: 0, out: 'Because.\n', note: '' })
  })
  test('asks again, with the same turn id, when the host was just ending', async () => {
    let first = true
    await host({
      async *ask(question) {
        asked.push(question)
        if (first) {
          first = false
          await endpoint!.stop()
        } else yield* numbered(question.turnId, answer)
      }
    })
    const start = async (): ReturnType<AskCommand['start']> => {
      await host()
      return (await connectToHost(dataDir))!
    }
    expect(await run(['why?'], { start })).toMatchObject({ exit: 0, out: 'Because.\n' })
    expect(asked.map((question) => question.turnId)).toEqual([turnId, turnId])
  })
  test.each([[[]], [['']], [['x'.repeat(200_000)]], [['--nope']], [['a', 'b']]])('exits 2 on bad usage without asking anybody', async (argv) => {
    const { exit, out, note } = await run(argv, { connect: () => Promise.reject(new Error('must not be called')) })
    expect([exit, out]).toEqual([2, ''])
    expect(note).toContain('--help')
  })
  test('exits 2 when the desk does not take the question', async () => {
    await host(failing(new CopilotError('invalid_request', 'Too odd.')))
    expect(await run(['x'])).toEqual({ exit: 2, out: '', note: 'Too odd.\n' })
  })
  test('exits 3 when it is kept because the service can’t be reached', async () => {
    await host(failing(new CopilotError('offline', 'Kept, and sent later.')))
    expect(await run(['x'])).toEqual({ exit: 3, out: '', note: 'Kept, and sent later.\n' })
    await endpoint!.stop()
    await host({ ...failing(new CopilotError('offline', 'Kept.')), status: () => ({ ...status, windows: false }) })
    const windowless = await run(['x'])
    expect(windowless.exit).toBe(3)
    expect(windowless.note).toContain('npm start')
  })
  test('exits 4 when the answer failed, keeping what came', async () => {
    const broken = [...answer.slice(0, 2), { type: 'failed' as const, error: { code: 'unavailable' as const, message: 'Broke.' } }]
    await host({
      ask: async function* (question) {
        yield* numbered(question.turnId, broken)
      }
    })
    expect(await run(['x'])).toEqual({ exit: 4, out: 'Because.\n', note: 'Broke.\n' })
  })
  test('exits 4, saying why, when no host can be started', async () => {
    expect(await run(['x'])).toEqual({ exit: 4, out: '', note: 'There is no Electron here.\n' })
  })
  test('says one sentence, never a bug’s words, when something is wrong inside', async () => {
    await host(failing(new TypeError('x is undefined')))
    const { exit, note } = await run(['x'])
    expect(exit).toBe(4)
    expect(note).toContain('Something went wrong inside Aside')
    expect(note).not.toContain('undefined')
  })
  test('stops the turn on Ctrl-C', async () => {
    const stopped = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    await host({
      async *ask(question) {
        yield* numbered(question.turnId, answer.slice(0, 2))
        started.resolve()
        await stopped.promise
        yield* numbered(question.turnId, [{ type: 'failed', error: { code: 'cancelled', message: 'Stopped.' } }], 3)
      },
      stopTurn: (id) => Promise.resolve(id === turnId ? stopped.resolve() : undefined)
    })
    const onInterrupt: AskCommand['onInterrupt'] = (task) => {
      void started.promise.then(task)
      return () => undefined
    }
    expect(await run(['x'], { onInterrupt })).toEqual({ exit: 4, out: 'Because.\n', note: 'Stopped.\n' })
  })
  test('refuses to ask another service than the one that was named', async () => {
    await host()
    const service = parseServiceUrl('grpc://ai.example:1')
    const refused = await run(['x'], { service })
    expect([refused.exit, asked.length]).toEqual([2, 0])
    expect(refused.note).toContain('grpc://ai.example:1')
    await endpoint!.stop()
    await host({ status: () => ({ ...status, service: 'grpc://ai.example:1' }) })
    expect((await run(['x'], { service })).exit).toBe(0)
  })
})

describe('--toggle and --show', () => {
  test('reach the windows of the running Aside, and never start one', async () => {
    expect(await run(['--toggle'])).toMatchObject({ exit: 4, out: '' })
    const wishes: unknown[] = []
    await host({ show: (wish) => Promise.resolve(void wishes.push(wish)) })
    expect(await run(['--toggle'])).toEqual({ exit: 0, out: '', note: '' })
    expect((await run(['--show', 'a draft'])).exit).toBe(0)
    expect(wishes).toEqual([{ what: 'toggle' }, { what: 'overlay', text: 'a draft' }])
  })
})

test('--help says how, and exits 0', async () => {
  const { exit, out } = await run(['--help'])
  expect(exit).toBe(0)
  expect(out).toContain('3 kept because offline')
})
