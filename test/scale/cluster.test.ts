// Two processes of the service as they ship, behind nginx, on one Redis: a client notices neither which of them it talks to, nor
// that one of them is killed.
import { io, type Socket } from 'socket.io-client'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRedis } from '../../src/service/store/redis.ts'
import { startPeer } from '../conformance/peer.ts'
import { frameClient } from '../fakes/service-frames.ts'
import { grpcClient } from '../fakes/service-running.ts'
import { hasNginx } from '../servers/nginx.ts'
import { hasRedisServer } from '../servers/redis.ts'
import { AT_ONCE, FREE_A_DAY, startCluster, type Cluster, type NodeName } from './cluster.ts'
import { pacedAnswer } from './model.ts'

interface Piece {
  readonly content: string
  readonly is_final: boolean
}

describe.runIf(hasRedisServer && hasNginx)('two processes', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster()
  }, 60_000)
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]()
  })

  const post = async (host: string, path: string, user: string, body: object): Promise<Response> =>
    await fetch(`http://${host}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await cluster.token(user)}`, 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
  const open = async (host: string, user: string, transports = ['websocket']): Promise<Socket> => {
    const socket = io(`http://${host}`, { auth: { token: await cluster.token(user) }, transports, reconnection: false, forceNew: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('connect_error', reject)
    })
    return socket
  }
  /** Where a Socket.IO session lives. */
  const nodeOf = (socket: Socket): string => (socket.io.engine as unknown as { id: string }).id.split('.')[0] ?? ''
  /** One connection for each process, through nginx. */
  const openOnBoth = async (user: string): Promise<Readonly<Record<NodeName, Socket>>> => {
    const sockets: Socket[] = []
    for (;;) {
      sockets.push(await open(cluster.nginx.http, user))
      const [a, b] = [sockets.find((socket) => nodeOf(socket) === 'a'), sockets.find((socket) => nodeOf(socket) === 'b')]
      if (a === undefined || b === undefined) continue
      for (const socket of sockets) if (socket !== a && socket !== b) socket.close()
      return { a, b }
    }
  }
  const answerOver = async (socket: Socket, message: string): Promise<string> => {
    const done = Promise.withResolvers<string>()
    let text = ''
    const hear = ({ content, is_final: isFinal }: Piece): void => {
      text += content
      if (isFinal) done.resolve(text)
    }
    socket.on('ai_stream', hear)
    socket.once('error', (error: unknown) => done.reject(new Error(JSON.stringify(error))))
    socket.emit('ai_stream', { message })
    return await done.promise.finally(() => socket.off('ai_stream', hear))
  }

  it('share out long-polling sessions, each of which stays with the process that began it', async () => {
    const sockets = await Promise.all(Array.from({ length: 6 }, () => open(cluster.nginx.http, 'poll', ['polling'])))
    const questions = sockets.map((_, index) => `Polling ${index} [12 pieces, 5 ms]`)
    expect(await Promise.all(sockets.map((socket, index) => answerOver(socket, questions[index] ?? '')))).toEqual(questions.map(pacedAnswer))
    expect(new Set(sockets.map(nodeOf))).toEqual(new Set(['a', 'b']))
    for (const socket of sockets) socket.close()
  })

  it.each([['polling'], ['websocket']])('hold a conversation with Python’s client over %s', async (transport) => {
    for (let round = 0; round < 2; round += 1) {
      await using peer = startPeer('socketio_peer.py')
      const url = `http://${cluster.nginx.http}`
      expect(await peer.ask({ do: 'open', url, transports: [transport], auth: { token: await cluster.token('python') } })).toMatchObject({
        ok: true,
        transport
      })
      const message = `Python over ${transport} ${round} [10 pieces, 2 ms]`
      await peer.ask({ do: 'emit', event: 'ai_chat', data: { message } })
      for (;;) {
        const heard = await peer.ask({ do: 'receive' })
        if (heard['event'] === 'ai_chat') {
          expect(heard['data']).toMatchObject({ response: pacedAnswer(message) })
          break
        }
        expect(heard['event']).toMatch(/^ai_(hello|status)$/)
      }
    }
  })

  it('stream server-sent events piece by piece through nginx', async () => {
    const response = await post(cluster.nginx.http, '/api/ai/stream', 'anna', { message: 'Events [30 pieces, 50 ms]' })
    let first = 0
    let last = 0
    for await (const _chunk of response.body ?? []) {
      last = Date.now()
      if (first === 0) first = last
    }
    // The answer takes at least 1.5 s: held back, it would come at once.
    expect(last - first).toBeGreaterThan(800)
  })

  it('answer gRPC calls through nginx, its health service and errors with their trailers too', async () => {
    await using client = grpcClient(cluster.nginx.grpc, await cluster.token())
    const message = 'Over gRPC [40 pieces, 2 ms]'
    const { pieces, error } = await client.stream({ message })
    expect(error).toBeNull()
    expect(pieces.map(({ content }) => content).join('')).toBe(pacedAnswer(message))
    await using stranger = grpcClient(cluster.nginx.grpc, 'nobody')
    expect((await stranger.stream({ message })).error).toMatchObject({ code: 16 })
  })

  it('count limits together', async () => {
    const ask = async (index: number, user: string, message: string): Promise<number> => {
      const response = await fetch(`http://${cluster.node(index % 2 === 0 ? 'a' : 'b').http}/api/ai/chat`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await cluster.token(user, { tier: 'FREE' })}`, 'content-type': 'application/json' },
        body: JSON.stringify({ message })
      })
      await response.arrayBuffer()
      return response.status
    }
    const today = []
    for (let index = 0; index < FREE_A_DAY + 6; index += 1) today.push(await ask(index, 'eager', `Limit ${index} [2 pieces, 0 ms]`))
    expect(today).toEqual(Array.from({ length: FREE_A_DAY + 6 }, (_, index) => (index < FREE_A_DAY ? 200 : 429)))

    const slow = Array.from({ length: AT_ONCE * 2 }, (_, index) => ask(index, 'parallel', `Slow ${index} [200 pieces, 20 ms]`))
    const atOnce = await Promise.all(slow)
    expect(atOnce.filter((status) => status === 200)).toHaveLength(AT_ONCE)
    expect(atOnce.filter((status) => status === 429)).toHaveLength(AT_ONCE)
  })

  it('share cached answers, and drop them when the context changes at either', async () => {
    const [a, b] = [cluster.node('a').http, cluster.node('b').http]
    const message = 'Cached? [6 pieces, 0 ms]'
    /** In a session that has no history yet; how often the model was asked for it. */
    const asks = async (host: string, session: string, stage: string): Promise<number> => {
      const before = cluster.model.asked.length
      const response = await post(host, '/api/ai/chat', 'cora', { message, context: { client_name: 'Northwind', stage }, session_id: session })
      expect(await response.json()).toMatchObject({ response: pacedAnswer(message) })
      return cluster.model.asked.length - before
    }
    expect(await asks(a, 's1', 'one')).toBe(1)
    expect(await asks(b, 's2', 'one')).toBe(0)
    // Another context in the session that the other process knows.
    expect(await asks(b, 's1', 'two')).toBe(1)
    expect(await asks(a, 's3', 'one')).toBe(1)
  })

  /** Resolves when both processes listen for somebody's threads: for overrides and dismissals they do all the time. */
  const bothListen = async (): Promise<void> => {
    const redis = await openRedis({ url: cluster.redis.url })
    try {
      const shared = async (): Promise<number> => {
        const listeners = await redis.client.pubSubNumSub(await redis.client.pubSubChannels('aside:fanout:*'))
        return Object.values(listeners).filter((count) => count === 2).length
      }
      await expect.poll(shared, { timeout: 10_000 }).toBe(3)
    } finally {
      await redis.stop()
    }
  }

  it('tell each other’s sockets what becomes of a message in a thread', async () => {
    const { a, b } = await openOnBoth('thea')
    try {
      const content = 'In a thread [12 pieces, 10 ms]'
      const heard: Record<NodeName, { pieces: string; final: string | null }> = { a: { pieces: '', final: null }, b: { pieces: '', final: null } }
      for (const [name, socket] of Object.entries({ a, b }) as [NodeName, Socket][]) {
        socket.on('ai_response', (part: Piece) => {
          if (part.is_final) heard[name].final = part.content
          else heard[name].pieces += part.content
        })
      }
      await bothListen()
      a.emit('send_message', { thread_id: 't1', content, content_type: 'text' })
      await expect.poll(() => [heard.a.final, heard.b.final], { timeout: 10_000 }).toEqual([pacedAnswer(content), pacedAnswer(content)])
      expect(heard.b.pieces).toBe(pacedAnswer(content))
    } finally {
      a.close()
      b.close()
    }
  })

  it('send away who is erased at one of them from the sockets at both, and nobody else', async () => {
    const { a, b } = await openOnBoth('gone')
    const stays = await open(cluster.nginx.http, 'stays')
    const token = await cluster.token('gone')
    await using python = startPeer('socketio_peer.py')
    expect(await python.ask({ do: 'open', url: `http://${cluster.nginx.http}`, auth: { token } })).toMatchObject({ ok: true })
    await using plain = await frameClient(`ws://${cluster.node('b').http}/ws`, { token })
    plain.send({ type: 'ai_status' })
    await plain.until(({ type }) => type === 'ai_status')
    const heard: Record<NodeName, string[]> = { a: [], b: [] }
    for (const [name, socket] of Object.entries({ a, b }) as [NodeName, Socket][]) {
      socket.on('error', ({ code }: { code: number }) => heard[name].push(String(code)))
      socket.on('disconnect', (reason) => heard[name].push(reason))
    }
    const erased = await fetch(`http://${cluster.node('a').http}/api/v1/me/data`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })
    expect(erased.status).toBe(200)
    const sentAway = ['4001', 'io server disconnect']
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual({ a: sentAway, b: sentAway })
    expect(await plain.closed).toBe(4001)
    const told = []
    for (;;) {
      const next = await python.ask({ do: 'receive' })
      told.push(next)
      if (next['closed'] === true) break
      expect(next).not.toHaveProperty('timeout')
    }
    expect(told.at(-2)).toMatchObject({ event: 'error', data: { code: 4001 } })
    expect(stays.connected).toBe(true)
    stays.close()
  })

  it('read on in the other process where a killed one stopped, byte by byte', async () => {
    const message = 'Cut in two [120 pieces, 15 ms]'
    const [turnId, token] = [uuidv7(), await cluster.token('ria')]
    let read = ''
    let afterSeq = 0
    const listen = async (address: string, onPiece?: (count: number) => void): Promise<boolean> => {
      await using client = grpcClient(address, token)
      let count = 0
      const { pieces, error } = await client.stream({ message, turnId, afterSeq, sessionId: 'ria' }, (piece) => {
        read += piece.content
        if (piece.seq > 0) afterSeq = piece.seq
        count += 1
        onPiece?.(count)
      })
      return error === null && pieces.at(-1)?.isFinal === true
    }
    const killing = Promise.withResolvers<void>()
    expect(
      await listen(cluster.node('a').grpc, (count) => {
        if (count === 30) killing.resolve(cluster.kill('a'))
      })
    ).toBe(false)
    await killing.promise
    expect(read.length).toBeGreaterThan(0)
    expect(pacedAnswer(message).startsWith(read)).toBe(true)
    expect(read).not.toBe(pacedAnswer(message))
    await expect.poll(() => listen(cluster.node('b').grpc), { timeout: 15_000, interval: 100 }).toBe(true)
    expect(read).toBe(pacedAnswer(message))
    await cluster.start('a')
  }, 40_000)

  it('lose and repeat no event of a hundred turns while one of them is killed and comes back', async () => {
    let ended = 0
    let cuts = 0
    const turns = Array.from({ length: 100 }, (_, index) => ({
      turnId: uuidv7(),
      user: `many ${index}`,
      message: `Turn ${index} [40 pieces, 20 ms]`
    }))
    const follow = async ({
      turnId,
      user,
      message
    }: (typeof turns)[number]): Promise<{ readonly text: string; readonly seqs: readonly number[] }> => {
      const token = await cluster.token(user)
      let text = ''
      const seqs: number[] = []
      const until = Date.now() + 60_000
      while (Date.now() < until) {
        await using client = grpcClient(cluster.nginx.grpc, token)
        const { pieces, error } = await client.stream({ message, turnId, afterSeq: seqs.at(-1) ?? 0, sessionId: turnId })
        if (error !== null) cuts += 1
        for (const { content, seq } of pieces) {
          text += content
          seqs.push(seq)
        }
        if (error === null && pieces.at(-1)?.isFinal === true) break
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      ended += 1
      return { text, seqs }
    }
    const following: ReturnType<typeof follow>[] = []
    for (const [index, turn] of turns.entries()) {
      following.push(follow(turn))
      await new Promise((resolve) => setTimeout(resolve, 20))
      if (index === 50) await cluster.kill('a')
    }
    expect(ended).toBeLessThan(100)
    await cluster.start('a')
    const all = await Promise.all(following)
    expect(all.map(({ text }) => text)).toEqual(turns.map(({ message }) => pacedAnswer(message)))
    // Numbered from 1, each once, in order.
    for (const { seqs } of all) expect(seqs).toEqual(seqs.map((_, index) => index + 1))
    // Some were cut; only those can have been asked again.
    const asked = cluster.model.asked.filter((question) => question.startsWith('Turn '))
    expect(cuts).toBeGreaterThan(0)
    expect(new Set(asked).size).toBe(100)
    expect(asked.length).toBeLessThanOrEqual(100 + cuts)
  }, 90_000)

  it('let nginx find the one that lives when the other is killed, and answer the messages that it had taken', async () => {
    const { a, b } = await openOnBoth('heir')
    const final = Promise.withResolvers<string>()
    const begun = Promise.withResolvers<void>()
    a.on('ai_response', ({ content, is_final: isFinal }: Piece) => (isFinal ? final.resolve(content) : begun.resolve()))
    await bothListen()
    const content = 'Left behind [120 pieces, 15 ms]'
    b.emit('send_message', { thread_id: 't1', content, content_type: 'text' })
    await begun.promise
    await cluster.kill('b')
    try {
      await using client = grpcClient(cluster.nginx.grpc, await cluster.token())
      for (let index = 0; index < 6; index += 1) {
        const message = `Left alone ${index} [4 pieces, 0 ms]`
        expect(await (await post(cluster.nginx.http, '/api/ai/chat', 'anna', { message })).json()).toMatchObject({ response: pacedAnswer(message) })
        const { pieces, error } = await client.stream({ message: `gRPC ${message}` })
        expect([error, pieces.map((piece) => piece.content).join('')]).toEqual([null, pacedAnswer(`gRPC ${message}`)])
        const socket = await open(cluster.nginx.http, 'anna', [index % 2 === 0 ? 'polling' : 'websocket'])
        expect([nodeOf(socket), await answerOver(socket, `Socket ${message}`)]).toEqual(['a', pacedAnswer(`Socket ${message}`)])
        socket.close()
      }
      expect(await final.promise).toBe(pacedAnswer(content))
    } finally {
      a.close()
      b.close()
      await cluster.start('b')
    }
  }, 90_000)
})
