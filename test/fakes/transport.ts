// A transport without a network: up or down at a word, answering from a script, cut where the script says so.
import type { ServiceHello, Transport } from '../../src/main/link/link.ts'
import { CopilotError } from '../../src/shared/errors.ts'
import type { Question, TurnEvent, TurnEventBody } from '../../src/shared/turn.ts'

/** What one call of `ask` does: numbered events, then maybe an error instead of the end. */
export type Play = (question: Question, afterSeq: number) => readonly (TurnEvent | Error)[]

export interface FakeTransport extends Transport {
  /** Each call of `ask`, in order. */
  readonly asked: { readonly turnId: string; readonly afterSeq: number }[]
  greeted: number
  dropped: number
  /** Hello answers with this from now on, or rejects with it. */
  greetWith(answer: Partial<ServiceHello> | Error): void
  /** The next calls of `ask` do these, one after the other; the last one stays. */
  play(...plays: readonly Play[]): void
  /** The connection breaks while nobody asks. */
  lose(): void
}

export const cut = (): CopilotError => new CopilotError('offline', 'cut')

/** Numbers bodies as the service's log would, from `from`. */
export function numbered(turnId: string, bodies: readonly TurnEventBody[], from = 1): TurnEvent[] {
  return bodies.map((body, index) => ({ ...body, turnId, seq: from + index, at: 5 }))
}

/** The whole turn after the number asked for, as a peer with a log sends it; cut after `count` events where given. */
export function replay(bodies: readonly TurnEventBody[], count = Number.POSITIVE_INFINITY): Play {
  return ({ turnId }, afterSeq) => {
    const rest = numbered(turnId, bodies).slice(afterSeq)
    return rest.length > count ? [...rest.slice(0, count), cut()] : rest
  }
}

export function createFakeTransport(kind: Transport['kind'], hello: Partial<ServiceHello> = {}): FakeTransport {
  let answer: Partial<ServiceHello> | Error = hello
  let plays: readonly Play[] = []
  let ended = false
  let spoken = 0
  const listeners = new Set<() => void>()
  const fake: FakeTransport = {
    kind,
    asked: [],
    greeted: 0,
    dropped: 0,
    greetWith: (next) => void (answer = next),
    play: (...next) => void (plays = next),
    lose() {
      for (const listener of listeners) listener()
    },
    async *ask(question, { signal, afterSeq = 0 }) {
      fake.asked.push({ turnId: question.turnId, afterSeq })
      const [play, ...rest] = plays
      if (rest.length > 0) plays = rest
      for (const step of play?.(question, afterSeq) ?? [cut()]) {
        await Promise.resolve()
        if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.')
        if (step instanceof Error) throw step
        yield step
      }
    },
    async hello() {
      fake.greeted += 1
      await Promise.resolve()
      if (ended) throw cut()
      if (answer instanceof Error) throw answer
      spoken = answer.protocol ?? 1
      return { version: '1', protocol: 1, answeredBy: null, via: kind === 'grpc' ? 'grpc' : 'websocket', ...answer }
    },
    protocol: () => spoken,
    cancel: () => Promise.resolve(!(answer instanceof Error) && (answer.protocol ?? 1) > 0),
    drop: () => void (fake.dropped += 1),
    onLost(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop() {
      ended = true
      return Promise.resolve()
    }
  }
  return fake
}
