// A link without a service, for tests of what stands before it: answers from a script, online or offline at a word.
import type { Link } from '../../src/main/link/link.ts'
import type { LinkStatus } from '../../src/shared/domain.ts'
import { CopilotError } from '../../src/shared/errors.ts'
import type { Play } from './transport.ts'

export interface FakeLink extends Link {
  readonly asked: { readonly turnId: string; readonly text: string; readonly afterSeq: number }[]
  readonly cancelled: string[]
  /** Turns that the service has. */
  readonly kept: Set<string>
  play(...plays: readonly Play[]): void
  become(state: LinkStatus['state']): void
}

export function createFakeLink(): FakeLink {
  const listeners = new Set<(status: LinkStatus) => void>()
  let plays: readonly Play[] = []
  let status: LinkStatus = {
    state: 'online',
    transport: 'grpc',
    reason: '',
    retryAt: null,
    since: 0,
    service: { embedded: true, address: '127.0.0.1:1', version: '1', answeredBy: null }
  }
  const fake: FakeLink = {
    asked: [],
    cancelled: [],
    kept: new Set(),
    play: (...next) => void (plays = next),
    become(state) {
      status = { ...status, state, transport: state === 'online' ? 'grpc' : null, reason: state === 'online' ? '' : 'cut by the test' }
      for (const listener of listeners) listener(status)
    },
    async *ask(question, { signal, afterSeq = 0 }) {
      if (status.state !== 'online') throw new CopilotError('offline', status.reason)
      fake.asked.push({ turnId: question.turnId, text: question.text, afterSeq })
      const [play, ...rest] = plays
      if (rest.length > 0) plays = rest
      for (const step of play?.(question, afterSeq) ?? []) {
        await Promise.resolve()
        if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.')
        if (step instanceof Error) throw step
        yield step
      }
    },
    knows: async (question) => {
      if (status.state !== 'online') throw new CopilotError('offline', status.reason)
      return fake.kept.has(question.turnId)
    },
    cancel(turnId) {
      fake.cancelled.push(turnId)
      return Promise.resolve(true)
    },
    status: () => status,
    onStatus(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    recheck: () => undefined,
    stop: () => Promise.resolve()
  }
  return fake
}
