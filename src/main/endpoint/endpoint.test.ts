// The local door over real sockets, with a desktop that answers from a script.
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createManualTime } from '../../../test/fakes/link-timers.ts'
import { numbered } from '../../../test/fakes/transport.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { TurnEvent } from '../../shared/turn.ts'
import { connectToHost, hostStatus } from './client.ts'
import type { EndpointAsk, EndpointHandlers, EndpointStatus, HostInfo } from './endpoint.ts'
import { openEndpoint, type Endpoint } from './server.ts'

const turnId = '0190a000-0000-7000-8000-000000000001'
const status: EndpointStatus = {
  version: '1.2.3',
  service: null,
  windows: true,
  link: {
    state: 'online',
    transport: 'grpc',
    reason: '',
    retryAt: null,
    since: 1,
    service: { embedded: true, address: 'x:1', version: null, answeredBy: null }
  }
}
const answer: readonly TurnEvent[] = numbered(turnId, [
  { type: 'accepted', messageId: 'm' },
  { type: 'delta', text: 'Grüße 😀\nline two' },
  { type: 'done', messageId: 'm', finish: 'stop' }
])

interface Desk extends EndpointHandlers {
  readonly asked: EndpointAsk[]
  readonly shown: unknown[]
  readonly stopped: string[]
  letGo: number
}
function createDesk(more: Partial<EndpointHandlers> = {}): Desk {
  const desk: Desk = {
    asked: [],
    shown: [],
    stopped: [],
    letGo: 0,
    async *ask(question) {
      desk.asked.push(question)
      yield* answer
    },
    stopTurn: (id) => Promise.resolve(void desk.stopped.push(id)),
    status: () => status,
    show: (wish) => Promise.resolve(void desk.shown.push(wish)),
    stop: null,
    ...more
  }
  return desk
}

let dataDir: string
let endpoint: Endpoint | null = null
const bugs: unknown[] = []
const time = createManualTime()
const open = async (handlers: EndpointHandlers, folder = dataDir): Promise<Endpoint> =>
  (endpoint = await openEndpoint({ dataDir: folder, handlers, timers: time, onBug: (error) => bugs.push(error) }))
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'aside-door-'))
  bugs.length = 0
})
afterEach(async () => {
  await endpoint?.stop()
  endpoint = null
  await rm(dataDir, { recursive: true })
})

const hostFile = async (folder = dataDir): Promise<HostInfo> => JSON.parse(await readFile(join(folder, 'host.json'), 'utf8')) as HostInfo
async function ask(question: Partial<EndpointAsk> = {}): Promise<TurnEvent[]> {
  const connection = await connectToHost(dataDir)
  const events: TurnEvent[] = []
  for await (const reply of connection!.call({ method: 'ask', params: { turnId, text: 'why?', ...question } }))
    if (reply.type === 'event') events.push(reply.event)
  return events
}
/** Says the bytes to the door and returns the lines that come back until it closes. */
async function say(bytes: string | Buffer): Promise<unknown[]> {
  const socket = connect((await hostFile()).path)
  await once(socket, 'connect')
  socket.on('error', () => undefined) // the door may close while we still write; what it said before counts
  socket.write(bytes)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(socket, 'close')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}
const request = async (more: object): Promise<string> => `${JSON.stringify({ token: (await hostFile()).token, ...more })}\n`

describe('the local door', () => {
  test('tells the events of an answer as they come, whole', async () => {
    const desk = createDesk()
    await open(desk)
    expect(await ask({ sessionName: ' Northwind ', quickAction: 'cost' })).toEqual(answer)
    expect(desk.asked).toEqual([{ turnId, text: 'why?', sessionName: 'Northwind', quickAction: 'cost' }])
  })
  test('passes a failure of the desk whole', async () => {
    const failing = new CopilotError('offline', 'Kept; sent later.', { retryAfterMs: 5 })
    await open(createDesk({ ask: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(failing) }) }) }))
    await expect(ask()).rejects.toMatchObject(failing.toWire())
    expect(bugs).toEqual([])
  })
  test('keeps a bug’s words inside, and reports it', async () => {
    const bug = new TypeError('secret path')
    await open(
      createDesk({
        status: () => {
          throw bug
        }
      })
    )
    const [line] = await say(await request({ method: 'status' }))
    expect(line).toMatchObject({ type: 'error', error: { code: 'internal' } })
    expect(JSON.stringify(line)).not.toContain('secret')
    expect(bugs).toEqual([bug])
  })
  test('stops a turn when told, and lets go of it when the caller leaves', async () => {
    const stopped = Promise.withResolvers<string>()
    const left = Promise.withResolvers<string>()
    const desk = createDesk({
      async *ask(_question, signal) {
        yield answer[0]!
        signal.addEventListener('abort', () => left.resolve('left'))
        await Promise.race([stopped.promise, left.promise])
        yield* numbered(turnId, [{ type: 'failed', error: { code: 'cancelled', message: 'Stopped.' } }], 2)
      },
      stopTurn: (id) => Promise.resolve(stopped.resolve(id))
    })
    await open(desk)
    const connection = await connectToHost(dataDir)
    const seen: string[] = []
    for await (const reply of connection!.call({ method: 'ask', params: { turnId, text: 'long' } })) {
      if (reply.type === 'event') seen.push(reply.event.type)
      if (seen.length === 1) await connection!.cancel()
    }
    expect(seen).toEqual(['accepted', 'failed'])
    expect(await stopped.promise).toBe(turnId)
    await endpoint!.stop()

    const stays = createDesk({
      async *ask(_question, signal) {
        yield answer[0]!
        await new Promise((resolve) => signal.addEventListener('abort', () => resolve(left.resolve('left'))))
      }
    })
    await open(stays)
    const leaving = await connectToHost(dataDir)
    for await (const _reply of leaving!.call({ method: 'ask', params: { turnId, text: 'long' } })) break
    expect(await left.promise).toBe('left')
    expect(stays.stopped).toEqual([])
  })
  test('shows windows where there are some, and says so where there are none', async () => {
    const desk = createDesk()
    await open(desk)
    expect(await say(await request({ method: 'show', params: { what: 'toggle', text: 'hi' } }))).toEqual([{ type: 'end' }])
    expect(desk.shown).toEqual([{ what: 'toggle', text: 'hi' }])
    await endpoint!.stop()
    await open(createDesk({ show: null }))
    expect(await say(await request({ method: 'show', params: { what: 'main' } }))).toMatchObject([{ type: 'error', error: { code: 'unavailable' } }])
  })
  test('stops only a host that is the caller’s to stop', async () => {
    await open(createDesk())
    expect(await say(await request({ method: 'stop' }))).toMatchObject([{ type: 'error', error: { code: 'forbidden' } }])
    await endpoint!.stop()
    let stops = 0
    await open(createDesk({ stop: () => Promise.resolve(void (stops += 1)) }))
    expect(await say(await request({ method: 'stop' }))).toEqual([{ type: 'end' }])
    expect(stops).toBe(1)
  })
})

describe('the local door and strangers', () => {
  test('is for this account only, and gone when the host stops', async () => {
    await open(createDesk())
    const { path } = await hostFile()
    expect((await stat(join(dataDir, 'host.json'))).mode & 0o777).toBe(0o600)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await hostStatus(dataDir)).toEqual(status)
    await endpoint!.stop()
    endpoint = null
    expect(await readdir(dataDir)).toEqual([])
    expect(await hostStatus(dataDir)).toBeNull()
  })
  test('refuses a caller without the token', async () => {
    const desk = createDesk()
    await open(desk)
    const { token } = await hostFile()
    for (const wrong of ['', 'x', `${token}x`, token.slice(1), token.toUpperCase()]) {
      expect(await say(await request({ method: 'ask', params: { turnId, text: 'x' }, token: wrong }))).toMatchObject([
        { type: 'error', error: { code: 'forbidden' } }
      ])
    }
    expect(desk.asked).toEqual([])
  })
  test.each([
    ['nothing that is JSON', 'hello\n'],
    ['an empty line', '\n'],
    ['null', 'null\n'],
    ['an unknown method', '{"method":"format-disk"}\n'],
    ['a list', '[1,2]\n'],
    ['broken UTF-8 and control characters', Buffer.from([0xff, 0xfe, 0x00, 0x1b, 0x0a])],
    ['a deep nest', `${'['.repeat(5_000)}\n`]
  ])('answers %s with an error line', async (_name, bytes) => {
    await open(createDesk())
    expect(await say(bytes)).toMatchObject([{ type: 'error', error: { code: 'invalid_request' } }])
    expect(await ask()).toEqual(answer)
  })
  test('answers an endless line with an error, and goes on', async () => {
    await open(createDesk())
    expect(await say('x'.repeat(1_100_000))).toMatchObject([{ type: 'error', error: { code: 'invalid_request' } }])
    expect(await ask()).toEqual(answer)
  })
  test('takes a question of 200 kB to the desk, which has the say about it', async () => {
    const desk = createDesk()
    await open(desk)
    await ask({ text: '\u0001'.repeat(170_000) })
    expect(desk.asked[0]?.text.length).toBe(170_000)
  })
  test('refuses a bad turn id or session name before the desk sees it', async () => {
    const desk = createDesk()
    await open(desk)
    await expect(ask({ turnId: 'nope' })).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(ask({ sessionName: ' ' })).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(ask({ sessionName: 'x'.repeat(201) })).rejects.toMatchObject({ code: 'invalid_request' })
    expect(desk.asked).toEqual([])
  })
  test('ends the conversation at a second line that is not cancel; the turn goes on', async () => {
    const desk = createDesk({
      async *ask(_question, signal) {
        yield answer[0]!
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      }
    })
    await open(desk)
    const lines = await say(`${await request({ method: 'ask', params: { turnId, text: 'x' } })}{"method":"dance"}\n`)
    expect(lines).toMatchObject([{ type: 'event' }, { type: 'error', error: { code: 'invalid_request' } }])
    expect(desk.stopped).toEqual([])
  })
  test('does not wait for ever for a caller that says nothing', async () => {
    await open(createDesk())
    const socket = connect((await hostFile()).path)
    await once(socket, 'connect')
    while (endpoint!.connections() === 0) await new Promise((resolve) => setImmediate(resolve))
    socket.resume()
    const closed = once(socket, 'close')
    await time.pass(5_000)
    await closed
    expect(endpoint!.connections()).toBe(0)
  })
})

describe('host.json', () => {
  test('of a host that died is replaced', async () => {
    await writeFile(join(dataDir, 'host.json'), JSON.stringify({ version: 1, pid: 1, path: join(dataDir, 'host.sock'), token: 'x'.repeat(40) }))
    await writeFile(join(dataDir, 'host.sock'), '')
    expect(await hostStatus(dataDir)).toBeNull()
    await open(createDesk())
    expect(await hostStatus(dataDir)).toEqual(status)
  })
  test.each(['', '{', '{"version":2}', '{"version":1,"pid":1,"path":"","token":"short"}'])('with %j in it is nobody’s', async (text) => {
    await writeFile(join(dataDir, 'host.json'), text)
    expect(await hostStatus(dataDir)).toBeNull()
    await open(createDesk())
    expect(await hostStatus(dataDir)).toEqual(status)
  })
  test('of a host that lives is left alone', async () => {
    await open(createDesk())
    await expect(openEndpoint({ dataDir, handlers: createDesk(), timers: time, onBug: () => undefined })).rejects.toMatchObject({ code: 'conflict' })
    expect(await hostStatus(dataDir)).toEqual(status)
  })
  test('names a socket in a private folder when the data folder’s path is too long for one', async () => {
    const deep = join(dataDir, 'd'.repeat(120))
    await mkdir(deep)
    await open(createDesk(), deep)
    const { path } = await hostFile(deep)
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(100)
    expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700)
    expect(await hostStatus(deep)).toEqual(status)
    await endpoint!.stop()
    endpoint = null
    await expect(stat(join(path, '..'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
  test('is not opened where nothing can be written', async () => {
    await writeFile(join(dataDir, 'file'), '')
    await expect(open(createDesk(), join(dataDir, 'file', 'data'))).rejects.toMatchObject({ code: 'unavailable' })
  })
})
