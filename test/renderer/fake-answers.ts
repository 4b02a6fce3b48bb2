// Answers of the fake bridge: turn events piece by piece, by a timer or by hand.
import type { Delta } from '../../src/shared/bridge.ts'
import type { Message } from '../../src/shared/domain.ts'
import { applyTurnEvent, emptyTurn, type TurnEvent, type TurnEventBody, type TurnView } from '../../src/shared/turn.ts'
import { exchanges, streamedExchange, type Exchange } from './content.ts'

export interface FakeAnswersDependencies {
  readonly now: number
  /** 0: only `advance()` moves an answer. */
  readonly tokenMs: number
  readonly repeat: number
  readonly messages: Map<string, Message>
  readonly push: (...deltas: Delta[]) => void
  readonly change: (id: string, change: Partial<Message>) => Message
  readonly offline: () => boolean
}

export interface FakeAnswers {
  readonly send: (question: Message) => void
  readonly stop: (turnId: string) => void
  readonly advance: (pieces?: number) => void
  readonly stopAll: () => void
}

interface Stream {
  readonly answerId: string
  readonly questionId: string
  readonly pieces: TurnEventBody[]
  view: TurnView
}

export function createFakeAnswers({ now, tokenMs, repeat, messages, push, change, offline }: FakeAnswersDependencies): FakeAnswers {
  const streams = new Map<string, Stream>()
  const timers = new Set<ReturnType<typeof setInterval>>()

  function settle(questionId: string): void {
    change(questionId, { delivery: { state: 'settled', attempts: 1, nextAttemptAt: null, needsConfirmation: false, error: null } })
  }

  function step(turnId: string, count: number): void {
    const stream = streams.get(turnId)
    const answer = stream === undefined ? undefined : messages.get(stream.answerId)
    if (stream === undefined || answer === undefined || offline()) return
    const events: TurnEvent[] = []
    for (const body of stream.pieces.splice(0, count)) {
      const event = Object.assign({ turnId, seq: stream.view.lastSeq + 1, at: now + stream.view.lastSeq }, body)
      stream.view = applyTurnEvent(stream.view, event)
      events.push(event)
    }
    if (events.length === 0) return
    messages.set(answer.id, storedAnswer(answer, stream.view))
    push({ slice: 'turn', sessionId: answer.sessionId, messageId: answer.id, events })
    if (stream.view.state !== 'done') return
    streams.delete(turnId)
    change(answer.id, {})
    settle(stream.questionId)
  }

  function send(question: Message): void {
    const turnId = question.turnId ?? ''
    const answerId = `answer-${turnId}`
    change(question.id, { delivery: { state: 'sending', attempts: 1, nextAttemptAt: null, needsConfirmation: false, error: null } })
    const answer: Message = {
      id: answerId,
      sessionId: question.sessionId,
      turnId,
      role: 'assistant',
      text: '',
      createdAt: question.createdAt + 1,
      position: question.position + 1,
      quickAction: null,
      delivery: null,
      answer: { state: 'answering', citations: [], notices: [], usage: null, error: null, finish: null, lastSeq: 0 }
    }
    messages.set(answerId, answer)
    push({ slice: 'message', value: answer })
    streams.set(turnId, {
      answerId,
      questionId: question.id,
      pieces: piecesOf(exchangeFor(question.text), answerId, repeat),
      view: emptyTurn(turnId)
    })
    if (tokenMs <= 0) return
    const timer = setInterval(() => {
      step(turnId, 1)
      if (streams.has(turnId)) return
      clearInterval(timer)
      timers.delete(timer)
    }, tokenMs)
    timers.add(timer)
  }

  return {
    send,
    stop: (turnId) => {
      const stream = streams.get(turnId)
      const answer = stream === undefined ? undefined : messages.get(stream.answerId)
      streams.delete(turnId)
      if (stream === undefined || answer === undefined || answer.answer === null) return
      change(answer.id, { answer: { ...answer.answer, state: 'cancelled', error: { code: 'cancelled', message: 'Stopped.' } } })
      settle(stream.questionId)
    },
    advance: (pieces = 1) => {
      for (const turnId of streams.keys()) step(turnId, pieces)
    },
    stopAll: () => {
      for (const timer of timers) clearInterval(timer)
      timers.clear()
      streams.clear()
    }
  }
}

function storedAnswer(answer: Message, view: TurnView): Message {
  return {
    ...answer,
    text: view.text,
    answer: {
      state: view.state === 'done' ? 'done' : 'answering',
      citations: [...view.citations],
      notices: [...view.notices],
      usage: view.usage,
      error: view.error,
      finish: view.finish,
      lastSeq: view.lastSeq
    }
  }
}

function exchangeFor(question: string): Exchange {
  return exchanges.find((exchange) => exchange.question === question) ?? { ...streamedExchange, question }
}

function piecesOf(exchange: Exchange, answerId: string, repeat: number): TurnEventBody[] {
  const pieces: TurnEventBody[] = [
    { type: 'accepted', messageId: answerId },
    { type: 'status', stage: 'Searching the knowledge base', progress: 30 }
  ]
  for (const notice of exchange.notices ?? []) pieces.push({ type: 'notice', ...notice })
  for (const citation of exchange.citations ?? []) pieces.push({ type: 'citation', ...citation })
  for (const words of `${exchange.answer}\n\n`
    .repeat(repeat)
    .trimEnd()
    .match(/\s*\S+/g) ?? [])
    pieces.push({ type: 'delta', text: words })
  pieces.push(
    {
      type: 'usage',
      provider: 'local',
      model: 'knowledge-bm25',
      inputTokens: 38,
      outputTokens: 190,
      cachedTokens: 0,
      costMicros: 0,
      firstTextMs: 41.5,
      totalMs: 260,
      failovers: 0
    },
    { type: 'done', messageId: answerId, finish: 'stop' }
  )
  return pieces
}
