// An exchange reads what comes as it comes, and lets go of the connection when nobody reads it any more.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { describe, expect, it } from 'vitest'
import { never } from '../../../test/fakes/service-parts.ts'
import { exchange } from './exchange.undici.ts'

/** An upstream that hands each request's response to the test, over one connection. */
async function upstream() {
  const replies: ServerResponse[] = []
  const waiting: ((reply: ServerResponse) => void)[] = []
  const server = createServer((_request, reply) => {
    replies.push(reply)
    waiting.shift()?.(reply)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 1, headersTimeout: 0, bodyTimeout: 0 })
  const open = (signal: AbortSignal, onBytes: (bytes: Uint8Array, status: number) => void) =>
    exchange(pool, { method: 'POST', path: '/', body: '{}' }, { signal, onBytes })
  return {
    replies,
    next: () => new Promise<ServerResponse>((resolve) => waiting.push(resolve)),
    open,
    async [Symbol.asyncDispose]() {
      await pool.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
const text = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString()

describe('an exchange', () => {
  it('tells of the first bytes at once, of what follows together, and of the end without waiting', async () => {
    await using under = await upstream()
    const asked = under.next()
    const parts: Uint8Array[] = []
    const reply = under.open(never, (bytes) => void parts.push(bytes))
    const upper = await asked
    upper.writeHead(200).write('one')
    expect(await reply.more(0)).toBe(true)
    expect({ status: reply.status, said: text(parts) }).toEqual({ status: 200, said: 'one' })
    const more = reply.more(60_000)
    upper.write('two')
    upper.end('three')
    expect(await more).toBe(false)
    expect(text(parts)).toBe('onetwothree')
  })

  it('tells of bytes that came before somebody asked, after the pause that was asked for', async () => {
    await using under = await upstream()
    const asked = under.next()
    const arrived = Promise.withResolvers<void>()
    const reply = under.open(never, () => arrived.resolve())
    ;(await asked).writeHead(200).write('early')
    await arrived.promise
    const since = performance.now()
    expect(await reply.more(30)).toBe(true)
    expect(performance.now() - since).toBeGreaterThan(25)
    reply.hangUp()
    await expect(reply.more(0)).rejects.toThrow('nobody reads')
  })

  it('closes the connection when it is stopped, and throws the reason', async () => {
    await using under = await upstream()
    const asked = under.next()
    const stopping = new AbortController()
    const reply = under.open(stopping.signal, () => undefined)
    const upper = await asked
    upper.writeHead(200).write('one')
    await reply.more(0)
    const closed = once(upper, 'close')
    const why = new Error('stopped')
    const more = reply.more(0)
    stopping.abort(why)
    await expect(more).rejects.toBe(why)
    await closed
  })

  it('never sends what was stopped while it waited for a connection', async () => {
    await using under = await upstream()
    const asked = under.next()
    const first = under.open(never, () => undefined)
    const upper = await asked
    const stopping = new AbortController()
    const second = under.open(stopping.signal, () => undefined)
    const more = second.more(0)
    stopping.abort(new Error('stopped'))
    await expect(more).rejects.toThrow('stopped')
    upper.end('done')
    while (await first.more(0));
    // The connection is free and good: the next one is the second request that ever arrives.
    const third = under.next()
    under.open(never, () => undefined)
    await third
    expect(under.replies).toHaveLength(2)
  })

  it('breaks off when what it reads can’t be understood', async () => {
    await using under = await upstream()
    const asked = under.next()
    const reply = under.open(never, () => {
      throw new Error('no answer at all')
    })
    const upper = await asked
    const closed = once(upper, 'close')
    upper.writeHead(200).write('?')
    await expect(reply.more(0)).rejects.toThrow('no answer at all')
    await closed
  })

  it('says how it was cut', async () => {
    await using under = await upstream()
    const asked = under.next()
    const reply = under.open(never, () => undefined)
    const upper = await asked
    upper.writeHead(200).write('half')
    await reply.more(0)
    upper.destroy()
    await expect(reply.more(0)).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' })
  })
})
