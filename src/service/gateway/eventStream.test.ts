import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createEventStream } from './eventStream.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** A response that has begun, and the client that reads it, which has not begun to. */
async function begun(): Promise<{ readonly response: ServerResponse; readonly client: Socket; readonly gone: AbortController }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  ends.push(() => {
    client.destroy()
    server.closeAllConnections()
    server.close()
  })
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse]
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  return { response, client, gone }
}

async function textOf(client: Socket): Promise<string> {
  let text = ''
  client.setEncoding('utf8').on('data', (part: string) => (text += part))
  while (!text.endsWith('0\r\n\r\n')) await once(client, 'data')
  return text
}

describe('a stream of events', () => {
  it('leaves in one piece for each tick, in order, with all that was said before its end', async () => {
    const { response, client, gone } = await begun()
    const written: unknown[] = []
    const write = response.write.bind(response)
    Object.assign(response, { write: (text: string) => (written.push(text), write(text)) })
    const stream = createEventStream(response, gone.signal)
    stream.say('a')
    await Promise.resolve()
    stream.say('b')
    expect(written).toEqual([])
    await new Promise((resolve) => setImmediate(resolve))
    expect(written).toEqual(['ab'])
    stream.say('ü')
    stream.end()
    expect((await textOf(client)).split('\r\n\r\n').slice(1).join('|')).toBe('2\r\nab\r\n2\r\nü\r\n0|')
  })

  it('makes the next event wait for a reader who takes nothing, and goes on when it reads', async () => {
    const { response, client, gone } = await begun()
    const stream = createEventStream(response, gone.signal)
    let said = 0
    const large = 'x'.repeat(1_000_000)
    while (!stream.isFull) {
      stream.say(large)
      said += 1
      // Held until the tick ends, it is much already; written, the system takes the first ones.
      await new Promise((resolve) => setImmediate(resolve))
    }
    let hasRoom = false
    const room = stream.room().then(() => (hasRoom = true))
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect([hasRoom, gone.signal.aborted]).toEqual([false, false])
    const text = textOf(client)
    await room
    stream.end()
    expect((await text).length).toBeGreaterThan(said * large.length)
  })

  it('lets go of a reader who has gone, and drops what is said to it', async () => {
    const { response, client, gone } = await begun()
    const stream = createEventStream(response, gone.signal)
    while (!stream.isFull) {
      stream.say('x'.repeat(1_000_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const room = stream.room()
    client.destroy()
    await room
    expect(gone.signal.aborted).toBe(true)
    stream.say('into the void')
    stream.end()
  })
})
