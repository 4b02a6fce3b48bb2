// Every provider, streaming, as the service asks it: makers against @copilotkit/aimock with injected 429, 500, 529, silence and
// cuts; a remote copilot that is our own service, and one in Python; a canister in Python; the built-in knowledge.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { createCanister } from '../../src/service/providers/canister.ws.ts'
import { ProviderFailure, type FailureKind } from '../../src/service/providers/failure.ts'
import { createLocalKnowledge } from '../../src/service/providers/localKnowledge.ts'
import type { Provider, ProviderPart, ProviderRequest } from '../../src/service/providers/provider.ts'
import { createRemoteCopilot } from '../../src/service/providers/remoteCopilot.grpc.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'
import { CopilotError } from '../../src/shared/errors.ts'
import { startPythonPeer } from '../fakes/link-python.ts'
import { makers, MOCK_ANSWER, MOCK_KEY, mockedProvider, mockRequest, type Fault, type Maker } from '../fakes/provider-aimock.ts'
import { collect, never } from '../fakes/service-parts.ts'
import { startHere } from '../fakes/service-running.ts'
import type { Report } from './report.ts'

const titles: Readonly<Record<Maker, string>> = {
  openai: 'OpenAI',
  compatible: 'an OpenAI-compatible server',
  anthropic: 'Anthropic',
  gemini: 'Gemini',
  bedrock: 'Bedrock',
  ollama: 'Ollama'
}

/** Faults of the mock and what each must be taken for. */
const expected: readonly (readonly [Fault, FailureKind])[] = [
  ['429', 'rate_limited'],
  ['500', 'unavailable'],
  ['529', 'overloaded'],
  ['auth', 'unauthenticated'],
  ['silent', 'timeout'],
  ['hang', 'timeout'],
  ['malformed', 'unavailable']
]
const SHORT = { firstTextMs: 250, betweenTextMs: 200 }
const LONG = { firstTextMs: 5_000, betweenTextMs: 5_000 }

/** Runs every step against real sockets; what can't be started is a failed step. */
export async function providerConformance(report: Report): Promise<void> {
  for (const maker of makers) await makerConversations(report, maker)
  await remoteConversations(report)
  await pythonConversations(report)
  await canisterConversations(report)
  await report.step('local knowledge', 'answers from its passages without any network', async () => {
    assertWhole(await collect<ProviderPart>(createLocalKnowledge().stream(withPassage, never)), 'Harbor keeps objects. [1]')
  })
}

async function makerConversations(report: Report, maker: Maker): Promise<void> {
  const title = titles[maker]
  await report.step(title, 'streams its whole answer with usage and a finish reason', async () => {
    await using under = await mockedProvider(maker, LONG)
    const parts = await collect<ProviderPart>(under.provider.stream(mockRequest('What is Harbor?'), never))
    assertWhole(parts, MOCK_ANSWER)
    assert.ok(parts.filter(({ type }) => type === 'text').length > 1, 'came in one piece')
    const usage = parts.findLast((part) => part.type === 'usage')
    assert.deepEqual([usage?.inputTokens, usage?.outputTokens], [100, 20])
  })
  for (const [fault, kind] of expected) {
    await report.step(title, `takes ${fault} for ${kind}`, async () => {
      await using under = await mockedProvider(maker, fault === 'silent' || fault === 'hang' ? SHORT : LONG)
      const failure = await failureOf(under.provider, mockRequest(`fault ${fault}`))
      assert.equal(failure.kind, kind)
      assert.ok(!failure.message.includes(MOCK_KEY), 'tells the key')
      if (fault === '429') assert.equal(failure.retryAfterMs, 7_000)
    })
  }
  await report.step(title, 'takes a cut stream for a failure after its text', async () => {
    await using under = await mockedProvider(maker, LONG)
    let text = ''
    const failure = await failureOf(under.provider, mockRequest('fault cut'), (piece) => (text += piece))
    assert.ok(['cut', 'unavailable'].includes(failure.kind), failure.kind)
    assert.ok(text !== '' && MOCK_ANSWER.startsWith(text), text)
  })
  await report.step(title, 'stops when it is told to', async () => {
    await using under = await mockedProvider(maker, LONG)
    await assertStops(under.provider, mockRequest('What is Harbor?'))
  })
  await report.step(title, 'answers again after each failure', async () => {
    await using under = await mockedProvider(maker, LONG)
    for (const fault of ['429', 'cut', '500', 'malformed'] as const) {
      await failureOf(under.provider, mockRequest(`fault ${fault}`))
      assertWhole(await collect<ProviderPart>(under.provider.stream(mockRequest('What is Harbor?'), never)), MOCK_ANSWER)
    }
  })
}

async function remoteConversations(report: Report): Promise<void> {
  const title = 'a remote copilot (our own service)'
  await report.step(title, 'streams, stops, and names a refused token', async () => {
    await using upstream = await mockedProvider('anthropic', LONG)
    await using here = await startHere({ providers: [upstream.provider] })
    const token = await here.token('copilot')
    const remote = remoteAt([here.service.grpc], () => token)
    const stranger = remoteAt([here.service.grpc], () => 'nonsense')
    try {
      assertWhole(await collect<ProviderPart>(remote.stream(mockRequest('What is Harbor?'), never)), MOCK_ANSWER)
      await assertStops(remote, mockRequest('What is Harbor?'))
      assert.equal((await failureOf(stranger, mockRequest('What is Harbor?'))).kind, 'unauthenticated')
    } finally {
      await remote.stop()
      await stranger.stop()
    }
  })
  await report.step(title, 'goes on with another host when one is gone', async () => {
    await using upstream = await mockedProvider('openai', LONG)
    await using here = await startHere({ providers: [upstream.provider] })
    const token = await here.token('copilot')
    const remote = remoteAt(['127.0.0.1:1', here.service.grpc], () => token)
    try {
      for (let round = 0; round < 4; round += 1) assertWhole(await collect<ProviderPart>(remote.stream(mockRequest('q'), never)), MOCK_ANSWER)
    } finally {
      await remote.stop()
    }
  })
}

async function pythonConversations(report: Report): Promise<void> {
  const title = 'a remote copilot (Python grpcio)'
  await report.step(title, 'streams with the base fields alone, and its failures are named', async () => {
    const peer = await startPythonPeer('grpc_base.py')
    const remote = remoteAt([`127.0.0.1:${peer.port}`], () => null)
    try {
      assertWhole(await collect<ProviderPart>(remote.stream(mockRequest('say Harbor keeps objects.'), never)), 'Harbor keeps objects. ')
      for (const [question, kind] of [
        ['unfinished x', 'cut'],
        ['error RESOURCE_EXHAUSTED', 'rate_limited'],
        ['error UNAVAILABLE', 'unavailable'],
        ['error INTERNAL', 'unavailable']
      ] as const) {
        assert.equal((await failureOf(remote, mockRequest(question))).kind, kind, question)
      }
    } finally {
      await remote.stop()
      await peer.stop()
    }
  })
  await report.step(title, 'is cut after its text, is silent, is stopped, and answers again after each', async () => {
    const peer = await startPythonPeer('grpc_base.py')
    const hosts = [`127.0.0.1:${peer.port}`]
    const remote = remoteAt(hosts, () => null)
    const hasty = remoteAt(hosts, () => null, SHORT)
    try {
      let text = ''
      // It says UNAVAILABLE, which is taken at its word.
      assert.equal((await failureOf(remote, mockRequest('cut-late'), (piece) => (text += piece))).kind, 'unavailable')
      assert.equal(text, 'half an ')
      assert.equal((await failureOf(hasty, mockRequest('silent'))).kind, 'timeout')
      await assertStops(remote, mockRequest('endless'))
      assertWhole(await collect<ProviderPart>(remote.stream(mockRequest('say all is well.'), never)), 'all is well. ')
    } finally {
      await remote.stop()
      await hasty.stop()
      await peer.stop()
    }
  })
}

function canisterAt(port: number, heartbeatMs?: number): ReturnType<typeof createCanister> {
  return createCanister({
    id: 'canister',
    name: 'The canister',
    url: `ws://127.0.0.1:${port}`,
    timeoutMs: 1_000,
    connectTimeoutMs: 1_000,
    reconnect: { baseMs: 20, capMs: 50 },
    clock: systemClock,
    newId: randomUUID,
    random: Math.random,
    ...(heartbeatMs === undefined ? {} : { heartbeatMs })
  })
}

async function canisterConversations(report: Report): Promise<void> {
  const title = 'a canister (Python websockets)'
  await report.step(title, 'answers several at once, is timed out, and comes back after it was dropped', async () => {
    const peer = await startPythonPeer('canister.py')
    const canister = canisterAt(peer.port)
    try {
      await untilReady(canister)
      const answers = await Promise.all(
        ['wait 0.2 slow', 'text quick'].map(async (question) => textOf(await collect<ProviderPart>(canister.stream(mockRequest(question), never))))
      )
      assert.deepEqual(answers, ['slow', 'quick'])
      assert.equal((await failureOf(canister, mockRequest('silent'))).kind, 'timeout')
      assert.equal((await failureOf(canister, mockRequest('error'))).kind, 'unavailable')
      assert.equal((await failureOf(canister, mockRequest('drop'))).kind, 'cut')
      await untilReady(canister)
      assertWhole(await collect<ProviderPart>(canister.stream(mockRequest('text again'), never)), 'again')
    } finally {
      await canister.stop()
      await peer.stop()
    }
  })
  await report.step(title, 'that answers no heartbeat is left, and found again', async () => {
    const peer = await startPythonPeer('canister.py')
    const canister = canisterAt(peer.port, 30)
    try {
      await untilReady(canister)
      assert.equal((await failureOf(canister, mockRequest('deaf'))).kind, 'cut')
      await untilReady(canister)
      assertWhole(await collect<ProviderPart>(canister.stream(mockRequest('text again'), never)), 'again')
    } finally {
      await canister.stop()
      await peer.stop()
    }
  })
  await report.step(title, 'is passed over where it sends what is not for us', async () => {
    const peer = await startPythonPeer('canister.py')
    const canister = canisterAt(peer.port)
    try {
      await untilReady(canister)
      assertWhole(await collect<ProviderPart>(canister.stream(mockRequest('garbage'), never)), 'Harbor keeps objects.')
    } finally {
      await canister.stop()
      await peer.stop()
    }
  })
}

const remoteAt = (hosts: readonly string[], token: () => string | null, timeouts = LONG) =>
  createRemoteCopilot({ id: 'remote', name: 'The remote copilot', hosts, isSecure: false, token, poolSize: 10, timeouts })

const withPassage: ProviderRequest = {
  ...mockRequest('What is Harbor?'),
  delivery: 'whole',
  material: {
    passages: [
      {
        id: 'harbor#0',
        slug: 'harbor',
        title: 'Harbor',
        heading: '',
        text: 'Harbor keeps objects.',
        provider: 'aws',
        topic: 'storage',
        source: 'Harbor guide',
        url: 'https://example.com/harbor',
        date: '2026-01-01',
        relevance: 1,
        n: 1
      }
    ],
    terms: [{ forms: ['harbor'], weight: 1 }],
    estimate: [],
    sources: []
  }
}

function textOf(parts: readonly ProviderPart[]): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

function assertWhole(parts: readonly ProviderPart[], text: string): void {
  assert.equal(textOf(parts), text)
  assert.deepEqual(parts.at(-1), { type: 'finish', reason: 'stop' })
}

async function failureOf(provider: Provider, request: ProviderRequest, onText: (text: string) => void = () => undefined): Promise<ProviderFailure> {
  try {
    for await (const part of provider.stream(request, never)) if (part.type === 'text') onText(part.text)
  } catch (error) {
    assert.ok(error instanceof ProviderFailure, String(error))
    return error
  }
  throw new assert.AssertionError({ message: 'it answered' })
}

async function assertStops(provider: Provider, request: ProviderRequest): Promise<void> {
  const controller = new AbortController()
  await assert.rejects(
    async () => {
      for await (const part of provider.stream(request, controller.signal)) if (part.type === 'text') controller.abort()
    },
    (error: unknown) => error instanceof CopilotError && error.code === 'cancelled'
  )
}

async function untilReady(provider: Provider): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await provider.ready(never)) return
    await pause(20)
  }
  throw new assert.AssertionError({ message: 'it never became ready' })
}
