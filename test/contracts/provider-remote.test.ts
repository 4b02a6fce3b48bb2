// The providers that are other copilots: a remote `ai.AICopilot` (ours, and one in Python that knows only the base fields) and a
// WebSocket canister in Python. Real sockets, foreign code at the other end.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createCanister, type CanisterOptions } from '../../src/service/providers/canister.ws.ts'
import type { Provider, ProviderPart } from '../../src/service/providers/provider.ts'
import { createRemoteCopilot, type RemoteCopilotOptions } from '../../src/service/providers/remoteCopilot.grpc.ts'
import { AICopilotService, StreamResponse, type AICopilotServer } from '../../src/shared/wire/gen/ai.ts'
import { startPythonPeer, type PythonPeer } from '../fakes/link-python.ts'
import { mockRequest } from '../fakes/provider-aimock.ts'
import { collect, fakeClock, never } from '../fakes/service-parts.ts'
import { startHere, toldProvider } from '../fakes/service-running.ts'
import { providerContract } from './provider.ts'

type Stoppable = Provider & { stop(): Promise<void> }
const textOf = (parts: readonly ProviderPart[]): string => parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
const held = <P extends Stoppable>(provider: P) => ({ provider, [Symbol.asyncDispose]: () => provider.stop() })

const remote = (hosts: readonly string[], part: Partial<RemoteCopilotOptions> = {}) =>
  createRemoteCopilot({
    id: 'remote',
    name: 'The remote copilot',
    hosts,
    isSecure: false,
    token: () => null,
    poolSize: 10,
    timeouts: { firstTextMs: 2_000, betweenTextMs: 2_000 },
    healthEveryMs: 50,
    ...part
  })

/** A host of the remote copilot that answers with its name. */
async function host(name: string, address = '127.0.0.1:0') {
  const server = new Server()
  const refuse = (): never => {
    throw new Error('not asked for here')
  }
  server.addService(AICopilotService, {
    chat: refuse,
    healthCheck: refuse,
    cancelTurn: refuse,
    streamChat(call) {
      call.write(StreamResponse.create({ content: name }))
      call.write(StreamResponse.create({ isFinal: true }))
      call.end()
    }
  } satisfies AICopilotServer)
  const health = new HealthImplementation({ '': 'SERVING' })
  health.addToServer(server)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)))
  })
  return { address: `127.0.0.1:${port}`, health, stop: () => server.forceShutdown() }
}

/** A model that says three pieces, each a moment after the other. */
const slowModel = (): Provider => ({
  ...toldProvider(),
  async *stream(_request, signal) {
    for (const text of ['Har', 'bor ', 'keeps.']) {
      await pause(10, undefined, { signal })
      yield { type: 'text', text }
    }
    yield { type: 'finish', reason: 'stop' }
  }
})

describe('a remote copilot that is our own service', () => {
  providerContract(async () => {
    const here = await startHere({ providers: [slowModel()], environment: { AI_RATE_LIMIT_STREAMS_PER_USER: '100' } })
    const token = await here.token('copilot')
    const provider = remote([here.service.grpc], { token: () => token })
    return {
      provider,
      async [Symbol.asyncDispose]() {
        await provider.stop()
        await here[Symbol.asyncDispose]()
      }
    }
  })

  it('is stopped over there too when it is stopped here', async () => {
    const told = toldProvider()
    await using here = await startHere({ providers: [told] })
    const token = await here.token('copilot')
    await using under = held(remote([here.service.grpc], { token: () => token }))
    told.say('Har')
    const controller = new AbortController()
    const listening = (async () => {
      for await (const part of under.provider.stream(mockRequest('q'), controller.signal)) if (part.type === 'text') controller.abort()
    })()
    await expect(listening).rejects.toMatchObject({ code: 'cancelled' })
    await vi.waitFor(() => expect(told.signals[0]?.aborted).toBe(true))
  })

  it('names a refused token as such', async () => {
    await using here = await startHere()
    await using under = held(remote([here.service.grpc], { token: () => 'nonsense' }))
    await expect(collect(under.provider.stream(mockRequest('q'), never))).rejects.toMatchObject({
      kind: 'unauthenticated',
      message: expect.stringContaining('AI_REMOTE_TOKEN')
    })
  })

  it('asks its hosts in turn, leaves out one that is gone or says that it does not serve, and comes back to it', async () => {
    const [first, second] = [await host('first'), await host('second')]
    await using under = held(remote([first.address, second.address]))
    const answers = async (rounds: number): Promise<string> => {
      const heard = new Set<string>()
      for (let round = 0; round < rounds; round += 1) heard.add(textOf(await collect(under.provider.stream(mockRequest('q'), never))))
      return [...heard].toSorted().join(' ')
    }
    expect(await under.provider.ready(never)).toBe(true)
    expect(await answers(4)).toBe('first second')
    second.health.setStatus('', 'NOT_SERVING')
    await vi.waitFor(async () => expect(await answers(4)).toBe('first'))
    second.health.setStatus('', 'SERVING')
    await vi.waitFor(async () => expect(await answers(4)).toBe('first second'))
    first.stop()
    expect(await answers(4)).toBe('second')
    const again = await host('again', first.address)
    await vi.waitFor(async () => expect(await answers(4)).toBe('again second'), 8_000)
    again.stop()
    second.stop()
  })

  it('is not ready where nobody is', async () => {
    await using under = held(remote(['127.0.0.1:1']))
    expect(await under.provider.ready(never)).toBe(false)
    await expect(under.provider.probe(never)).rejects.toMatchObject({ kind: 'unavailable' })
    await expect(collect(under.provider.stream(mockRequest('q'), never))).rejects.toMatchObject({ kind: 'unavailable' })
  })
})

describe('a remote copilot in Python that knows only the base fields', () => {
  let peer: PythonPeer
  beforeAll(async () => {
    peer = await startPythonPeer('grpc_base.py')
  })
  afterAll(() => peer.stop())
  const asking = (part: Partial<RemoteCopilotOptions> = {}) => held(remote([`127.0.0.1:${peer.port}`], part))

  it('answers, though it has no health service', async () => {
    await using under = asking()
    await vi.waitFor(async () => expect(await under.provider.ready(never)).toBe(true))
    const parts = await collect<ProviderPart>(under.provider.stream(mockRequest('say Harbor keeps objects.'), never))
    expect(textOf(parts)).toBe('Harbor keeps objects. ')
    expect(parts.at(-1)).toEqual({ type: 'finish', reason: 'stop' })
  })

  it.each([
    ['unfinished x', 'cut'],
    ['cut-late x', 'unavailable|cut'],
    ['error UNAVAILABLE', 'unavailable'],
    ['error RESOURCE_EXHAUSTED', 'rate_limited'],
    ['error UNAUTHENTICATED', 'unauthenticated'],
    ['error INVALID_ARGUMENT', 'invalid']
  ])('%s is %s', async (question, kind) => {
    await using under = asking()
    await expect(collect(under.provider.stream(mockRequest(question), never))).rejects.toMatchObject({
      kind: expect.stringMatching(`^(${kind})$`)
    })
  })
})

describe('a canister in Python', () => {
  let peer: PythonPeer
  beforeAll(async () => {
    peer = await startPythonPeer('canister.py')
  })
  afterAll(() => peer.stop())

  const canister = async (part: Partial<CanisterOptions> = {}) => {
    const provider = createCanister({
      id: 'canister',
      name: 'The canister',
      url: `ws://127.0.0.1:${peer.port}`,
      timeoutMs: 2_000,
      connectTimeoutMs: 1_000,
      reconnect: { baseMs: 10, capMs: 20 },
      clock: fakeClock(),
      newId: randomUUID,
      random: () => 0.5,
      ...part
    })
    await vi.waitFor(async () => expect(await provider.ready(never)).toBe(true))
    return held(provider)
  }
  providerContract(canister)

  it('matches answers to questions by their ids, whichever comes first', async () => {
    await using under = await canister()
    const ask = (text: string) => collect<ProviderPart>(under.provider.stream(mockRequest(text), never)).then(textOf)
    const order: string[] = []
    const answers = await Promise.all(
      ['wait 0.2 slow', 'text quick', 'wait 0.1 middle'].map(async (question) => {
        const answer = await ask(question)
        order.push(answer)
        return answer
      })
    )
    expect(answers).toEqual(['slow', 'quick', 'middle'])
    expect(order).toEqual(['quick', 'middle', 'slow'])
  })

  it('says which model answered and how much it used', async () => {
    await using under = await canister()
    const parts = await collect<ProviderPart>(under.provider.stream(mockRequest('text a'), never))
    const usage = parts.find((part) => part.type === 'usage')
    expect(usage).toMatchObject({ model: 'canister-1' })
    expect((usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0)).toBe(120)
    expect(under.provider.model()).toBe('canister-1')
  })

  it.each([
    ['silent', 'timeout'],
    ['error', 'unavailable'],
    ['empty', 'unavailable'],
    ['drop', 'cut']
  ])('%s is %s', async (question, kind) => {
    await using under = await canister({ timeoutMs: 150 })
    await expect(collect(under.provider.stream(mockRequest(question), never))).rejects.toMatchObject({ kind })
  })

  it('passes over what is not for it', async () => {
    await using under = await canister()
    expect(textOf(await collect(under.provider.stream(mockRequest('garbage'), never)))).toBe('Harbor keeps objects.')
  })

  it('comes back by itself when it was dropped, and when the other end has gone quiet', async () => {
    for (const question of ['drop', 'deaf']) {
      await using under = await canister({ heartbeatMs: 30, timeoutMs: 1_000 })
      await expect(collect(under.provider.stream(mockRequest(question), never))).rejects.toMatchObject({ kind: 'cut' })
      await vi.waitFor(async () => expect(await under.provider.ready(never)).toBe(true))
      expect(textOf(await collect(under.provider.stream(mockRequest('text again'), never)))).toBe('again')
    }
  })

  it('is not ready where nobody is, and can be stopped while it tries', async () => {
    const provider = createCanister({
      id: 'c',
      name: 'The canister',
      url: 'ws://127.0.0.1:1',
      timeoutMs: 100,
      connectTimeoutMs: 100,
      clock: fakeClock(),
      newId: randomUUID,
      random: Math.random
    })
    expect(await provider.ready(never)).toBe(false)
    await expect(collect(provider.stream(mockRequest('q'), never))).rejects.toMatchObject({ kind: 'unavailable' })
    await provider.stop()
  })
})
