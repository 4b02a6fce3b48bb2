// What the fuzzer found, each as a test of its own.
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHere, toldProvider, type ServiceHere } from '../fakes/service-running.ts'

const model = toldProvider()
let here: ServiceHere
beforeAll(async () => void (here = await startHere({ providers: [model] })))
afterAll(() => here[Symbol.asyncDispose]())

const sessions = '/api/v1/admin/chat/sessions'
async function ask(method: string, path: string, token: string, body?: unknown): Promise<{ status: number; json: Record<string, unknown> }> {
  const response = await fetch(`http://${here.service.http}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const text = await response.text()
  return { status: response.status, json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
}
const codeOf = ({ json }: { json: Record<string, unknown> }): unknown => (json['error'] as { code?: string } | undefined)?.code

describe('the library', () => {
  it.each(['x'.repeat(300), '%00', '..%2f..', 'hasOwnProperty'])('has no document %s, and says so', async (id) => {
    const token = await here.token('boss', 60_000, 'admin')
    for (const method of ['GET', 'DELETE']) expect((await ask(method, `/api/v1/knowledge/documents/${id}`, token)).status).toBe(404)
  })
})

describe('a message over REST', () => {
  it('is told that its session was deleted while it waited', async () => {
    const token = await here.token()
    const { json } = await ask('POST', sessions, token, { client_name: 'Northwind' })
    const asked = model.asked.length
    const waiting = ask('POST', `${sessions}/${String(json['id'])}/messages`, token, { content: 'Is anybody there?' })
    await expect.poll(() => model.asked.length).toBe(asked + 1)
    expect((await ask('DELETE', `${sessions}/${String(json['id'])}`, token)).status).toBe(204)
    const answer = await waiting
    expect([answer.status, codeOf(answer)]).toEqual([404, 'NOT_FOUND'])
  })

  it('is told so too when it comes just while its session is deleted', async () => {
    const token = await here.token()
    for (let round = 0; round < 5; round += 1) {
      const { json } = await ask('POST', sessions, token, { client_name: 'Northwind' })
      const path = `${sessions}/${String(json['id'])}`
      const send = () => ask('POST', `${path}/messages`, token, { content: 'Is anybody there?' })
      const asked = model.asked.length
      const first = send()
      await expect.poll(() => model.asked.length).toBe(asked + 1)
      const answers = await Promise.all([first, send(), ask('DELETE', path, token), send(), send()].map(async (one) => (await one).status))
      expect(answers.filter((status) => status !== 404)).toEqual([204])
    }
  })
})

describe('a request that breaks off', () => {
  /** Sends the beginning of a body once the service waits for it; then the connection is gone. */
  const breakOff = async (path: string, token: string, type: string, isUnderWay: () => Promise<boolean>): Promise<void> => {
    const [host = '', port = ''] = here.service.http.split(':')
    const socket = connect(Number(port), host)
    const head = [
      'POST ' + path + ' HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${token}`,
      `Content-Type: ${type}`,
      'Content-Length: 5000',
      'Expect: 100-continue'
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    const [told] = (await once(socket, 'data')) as [Buffer]
    expect(told.toString()).toMatch(/^HTTP\/1\.1 100 /)
    socket.write('{"message":')
    await expect.poll(isUnderWay).toBe(true)
    socket.resetAndDestroy()
  }
  const refused = async (): Promise<number> => {
    const metrics = await (
      await fetch(`http://${here.service.http}/metrics`, { headers: { authorization: `Bearer ${await here.token('boss', 60_000, 'admin')}` } })
    ).text()
    return Number(/^aside_errors_total\{dialect="rest",code="cancelled"\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
  }

  it('is its client’s doing: counted, no bug, and nothing of it stays', async () => {
    const token = await here.token('boss', 60_000, 'admin')
    const before = await refused()
    await breakOff('/api/ai/chat', token, 'application/json', () => Promise.resolve(true))
    await expect.poll(refused).toBe(before + 1)
    const inbox = join(here.dataDir, 'inbox')
    const arriving = (): Promise<number> =>
      readdir(inbox).then(
        (names) => names.length,
        () => 0
      )
    await breakOff('/api/v1/knowledge/documents?name=a.md', token, 'text/markdown', async () => (await arriving()) > 0)
    await expect.poll(refused).toBe(before + 2)
    await expect.poll(arriving).toBe(0)
    expect(here.logger.lines.filter(({ event }) => event === 'http.bug')).toEqual([])
  })
})

async function socketIo(token: string): Promise<{ socket: WebSocket; hear: (begin: string) => Promise<string> }> {
  const socket = new WebSocket(`ws://${here.service.http}/socket.io/?EIO=4&transport=websocket`)
  const heard: string[] = []
  let wake = (): void => undefined
  socket.on('message', (data: Buffer) => {
    heard.push(data.toString())
    wake()
  })
  const hear = async (begin: string): Promise<string> => {
    for (;;) {
      const found = heard.find((text) => text.startsWith(begin))
      if (found !== undefined) return found
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  await once(socket, 'open')
  socket.send(`40${JSON.stringify({ token })}`)
  await hear('40')
  return { socket, hear }
}

describe('Socket.IO', () => {
  it('ends the connection of a client that leaves its only namespace', async () => {
    const { socket } = await socketIo(await here.token())
    const closed = once(socket, 'close')
    socket.send('41')
    await closed
  })

  it('acknowledges that somebody types', async () => {
    const { socket, hear } = await socketIo(await here.token())
    socket.send('427["typing",{"thread_id":"t","typing":true}]')
    expect(await hear('437')).toBe('437[{"ok":true,"message_id":""}]')
    socket.terminate()
  })
})
