// The history in plain arrays, for tests of what stands above it. Keeps the port's contract; keeps nothing on a disk.
import type { Message, MessagePage, Session } from '../../src/shared/domain.ts'
import { CopilotError } from '../../src/shared/errors.ts'
import type { Clock } from '../../src/shared/kit/clock.ts'
import { emptyTurn, isEnded, type Question, type TurnView } from '../../src/shared/turn.ts'
import { deliveryOf } from '../../src/main/history/delivery.ts'
import type { History, OutboxRow } from '../../src/main/history/history.ts'
import { parseSearch } from '../../src/main/history/search/query.ts'
import { matches, rank, snippet } from '../../src/main/history/search/rank.ts'
import { fold } from '../../src/main/history/search/words.ts'
import { answerIdOf, applyNewEvents, beginsAnswer } from '../../src/main/history/turnEvents.ts'
import { createMemoryKeeping } from './historyKeeping.memory.ts'
import { createUsageReporter } from '../../src/main/usage/report.ts'
import { createMemoryBulk, type MemoryLedgerRow, type MemoryMessage, type MemoryOutboxRow, type MemoryTurn } from './historyBulk.memory.ts'

const WINDOW = 64
const MADE_BY_NO_TURN: TurnView = { ...emptyTurn('none'), state: 'done' }

function notFound(thing: string): CopilotError {
  return new CopilotError('not_found', `This ${thing} is not in the history.`)
}
const conflict = (): CopilotError => new CopilotError('conflict', 'Already used.')

export function createMemoryHistory({ clock }: { readonly clock: Clock }): History {
  const sessions = new Map<string, Session>()
  const turns = new Map<string, MemoryTurn>()
  const ledger: MemoryLedgerRow[] = []
  let messages: MemoryMessage[] = []
  let outbox: MemoryOutboxRow[] = []
  let closed = false

  function sessionOf(id: string): Session {
    const session = sessions.get(id)
    if (session === undefined) throw notFound('session')
    return session
  }
  function turnOf(id: string | null): MemoryTurn {
    const turn = id === null ? undefined : turns.get(id)
    if (turn === undefined) throw notFound('turn')
    return turn
  }
  function touch(id: string, added: number, at: number): Session {
    const session = sessionOf(id)
    const next = { ...session, messageCount: session.messageCount + added, lastActivityAt: Math.max(session.lastActivityAt, at) }
    sessions.set(id, next)
    return next
  }
  function rowOf(turnId: string | null): MemoryOutboxRow | null {
    return outbox.find((row) => row.turnId === turnId) ?? null
  }
  function rowView(row: MemoryOutboxRow): OutboxRow {
    return { ...row, lastSeq: turnOf(row.turnId).view.lastSeq }
  }
  function inOrder(): MemoryMessage[] {
    return messages.sort((a, b) => a.position - b.position)
  }
  function nextPosition(): number {
    return (inOrder().at(-1)?.position ?? 0) + 2
  }
  function messageView(stored: MemoryMessage): Message {
    const row = stored.role === 'user' ? rowOf(stored.turnId) : null
    const view = stored.turnId === null ? MADE_BY_NO_TURN : turnOf(stored.turnId).view
    return {
      ...stored,
      delivery: row === null ? null : deliveryOf({ ...row, lastSeq: view.lastSeq }, clock.now()),
      answer:
        stored.role === 'assistant'
          ? {
              state: view.state === 'done' || view.state === 'failed' || view.state === 'cancelled' ? view.state : 'answering',
              citations: [...view.citations],
              notices: [...view.notices],
              usage: view.usage,
              error: view.error,
              finish: view.finish,
              lastSeq: view.lastSeq
            }
          : null
    }
  }
  function addTurn(turnId: string, question: MemoryMessage, context: Question['context'], at: number): void {
    const { sessionId, position } = question
    turns.set(turnId, { view: emptyTurn(turnId), sessionId, question, context, answer: null })
    const head = { turnId, messageId: question.id, sessionId, position }
    outbox.push({ ...head, state: 'waiting', attempts: 0, acceptedAt: at, nextAttemptAt: null, confirmedAt: null, error: null })
  }
  function endTurn(turn: MemoryTurn): void {
    const { view } = turn
    const session = sessionOf(turn.sessionId)
    const usage = view.usage
    ledger.push({
      turnId: view.turnId,
      sessionId: session.id,
      sessionTitle: session.title,
      clientName: session.clientName,
      provider: usage?.provider ?? '',
      model: usage?.model ?? '',
      inputTokens: usage?.inputTokens ?? 0,
      outputTokens: usage?.outputTokens ?? 0,
      cachedTokens: usage?.cachedTokens ?? 0,
      costMicros: usage?.costMicros ?? 0,
      failovers: usage?.failovers ?? 0,
      firstTextMs: usage?.firstTextMs ?? null,
      totalMs: usage?.totalMs ?? null,
      errorCode: view.error?.code ?? null,
      at: view.endedAt ?? clock.now()
    })
    const row = rowOf(view.turnId)
    if (row === null) return
    Object.assign(row, {
      state: view.state === 'failed' ? 'failed' : 'settled',
      nextAttemptAt: null,
      error: view.state === 'failed' ? view.error : null
    })
  }

  const keeping = createMemoryKeeping({
    now: () => clock.now(),
    isTurn: (turnId) => turns.has(turnId),
    sessions: () => [...sessions.values()],
    messages: () =>
      messages.map((message) => ({ ...message, askedAt: message.turnId === null ? message.createdAt : turnOf(message.turnId).question.createdAt })),
    isUnended: (turnId) => !isEnded(turnOf(turnId).view),
    removeMessages(ids) {
      const gone = new Set(messages.filter(({ id }) => ids.has(id)).map(({ turnId }) => turnId))
      for (const message of messages) {
        if (!ids.has(message.id)) continue
        const session = sessionOf(message.sessionId)
        sessions.set(session.id, { ...session, messageCount: session.messageCount - 1 })
      }
      messages = messages.filter(({ id }) => !ids.has(id))
      outbox = outbox.filter(({ turnId }) => !gone.has(turnId))
      for (const turnId of gone) if (turnId !== null) turns.delete(turnId)
    },
    removeSession(id) {
      calls.removeSession(id)
      for (const [index, row] of ledger.entries()) if (row.sessionId === id) ledger[index] = { ...row, sessionTitle: '' }
    }
  })
  const bulk = createMemoryBulk({ sessions, turns, ledger, messages: inOrder, outbox: () => outbox, nextPosition })

  const calls = {
    createSession(session: Session): Session {
      if (sessions.has(session.id)) throw conflict()
      sessions.set(session.id, { ...session, messageCount: 0 })
      return sessionOf(session.id)
    },
    updateSession(...[id, change, at]: Parameters<History['updateSession']>): Session {
      const details = Object.fromEntries(Object.entries(change.details ?? {}).filter(([, value]) => value !== undefined))
      const session = sessionOf(id)
      const next = { ...session, ...details, pinned: change.pinned ?? session.pinned, status: change.status ?? session.status, updatedAt: at }
      sessions.set(id, next)
      for (const [index, row] of ledger.entries()) {
        if (row.sessionId === id) ledger[index] = { ...row, sessionTitle: next.title, clientName: next.clientName }
      }
      return next
    },
    removeSession(id: string): void {
      sessionOf(id)
      sessions.delete(id)
      keeping.forget([id, ...messages.filter((message) => message.sessionId === id).map((message) => `edit.${message.id}`)])
      messages = messages.filter((message) => message.sessionId !== id)
      outbox = outbox.filter((row) => row.sessionId !== id)
      for (const [turnId, turn] of turns) if (turn.sessionId === id) turns.delete(turnId)
    },
    session: (id: string): Session | null => sessions.get(id) ?? null,
    listSessions({ status, text, limit }: Parameters<History['listSessions']>[0]): Session[] {
      const part = fold((text ?? '').trim())
      return [...sessions.values()]
        .toReversed()
        .filter(
          (session) =>
            (status === undefined || session.status === status) && (fold(session.title).includes(part) || fold(session.clientName).includes(part))
        )
        .sort((a, b) => Number(b.pinned) - Number(a.pinned) || b.lastActivityAt - a.lastActivityAt)
        .slice(0, limit)
    },

    accept({ question, messageId, at }: Parameters<History['accept']>[0]): Awaited<ReturnType<History['accept']>> {
      keeping.accepted(question.turnId)
      const existing = turns.get(question.turnId)
      if (existing !== undefined) {
        const own = existing.question.turnId === question.turnId
        if (existing.sessionId !== question.sessionId || (own && existing.question.text !== question.text.toWellFormed())) throw conflict()
        return { message: messageView(existing.question), session: sessionOf(existing.sessionId), fresh: false }
      }
      sessionOf(question.sessionId)
      if (messages.some((message) => message.id === messageId)) throw conflict()
      const message: MemoryMessage = {
        id: messageId,
        sessionId: question.sessionId,
        turnId: question.turnId,
        role: 'user',
        text: question.text.toWellFormed(),
        createdAt: at,
        position: nextPosition(),
        quickAction: question.quickAction ?? null
      }
      messages.push(message)
      addTurn(question.turnId, message, question.context, at)
      return { session: touch(question.sessionId, 1, at), message: messageView(message), fresh: true }
    },
    question(turnId: string): Question | null {
      const turn = turns.get(turnId)
      if (turn === undefined || turn.question.turnId !== turnId) return null
      const { text, quickAction } = turn.question
      return { turnId, sessionId: turn.sessionId, text, context: turn.context, ...(quickAction === null ? {} : { quickAction }) }
    },
    editQuestion(...[messageId, { text, turnId, at }]: Parameters<History['editQuestion']>): Message {
      const message = messages.find(({ id, role }) => id === messageId && role === 'user')
      if (message === undefined) throw notFound('message')
      const clean = text.toWellFormed()
      if (message.turnId === turnId && message.text === clean) return messageView(message)
      if (turns.has(turnId)) throw conflict()
      const old = turnOf(message.turnId)
      const row = rowOf(message.turnId)
      const isUnsent = row?.state === 'waiting' && old.view.lastSeq === 0
      if (row === null || !(isUnsent || row.state === 'failed' || row.state === 'cancelled')) throw conflict()
      if (!isEnded(old.view)) old.view = { ...old.view, state: 'cancelled', endedAt: at }
      outbox = outbox.filter((other) => other !== row)
      message.text = clean
      message.turnId = turnId
      addTurn(turnId, message, old.context, at)
      touch(message.sessionId, 0, at)
      return messageView(message)
    },

    outbox: (): OutboxRow[] =>
      outbox
        .filter((row) => row.state === 'waiting' || row.state === 'sending' || row.state === 'failed')
        .sort((a, b) => a.position - b.position)
        .map(rowView),
    outboxRow(turnId: string): OutboxRow | null {
      const row = rowOf(turnId)
      return row === null ? null : rowView(row)
    },
    changeOutbox(...[turnId, change]: Parameters<History['changeOutbox']>): Message {
      const row = rowOf(turnId)
      if (row === null) throw notFound('turn')
      if (row.state === 'settled' && (change.state ?? 'settled') !== 'settled') throw conflict()
      Object.assign(row, Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)))
      return messageView(turnOf(turnId).question)
    },
    waitingCount: (): number => outbox.filter((row) => row.state === 'waiting').length,

    saveEvents(...[turnId, events]: Parameters<History['saveEvents']>): Awaited<ReturnType<History['saveEvents']>> {
      const turn = turnOf(turnId)
      const applied = applyNewEvents(turn.view, events)
      const view = () => (turn.answer === null ? null : messageView(turn.answer))
      if (applied.events.length === 0) return { sessionId: turn.sessionId, message: view(), lastSeq: turn.view.lastSeq, session: null }
      turn.view = applied.view
      const created = turn.answer === null && beginsAnswer(applied.events)
      if (created) {
        const free = !messages.some((message) => message.position === turn.question.position + 1)
        turn.answer = {
          id: answerIdOf(turnId, applied.events, (id) => messages.some((message) => message.id === id)),
          sessionId: turn.sessionId,
          turnId,
          role: 'assistant',
          text: '',
          createdAt: clock.now(),
          position: free ? turn.question.position + 1 : nextPosition(),
          quickAction: null
        }
        messages.push(turn.answer)
      }
      if (turn.answer !== null) turn.answer.text = wholeText(applied.view)
      if (isEnded(applied.view)) endTurn(turn)
      const session = created || isEnded(applied.view) ? touch(turn.sessionId, created ? 1 : 0, clock.now()) : null
      return { sessionId: turn.sessionId, message: view(), lastSeq: applied.view.lastSeq, session }
    },

    message(id: string): Message | null {
      const stored = messages.find((message) => message.id === id)
      return stored === undefined ? null : messageView(stored)
    },
    page({ sessionId, limit, before, after, around }: Parameters<History['page']>[0]): MessagePage {
      sessionOf(sessionId)
      const all = inOrder().filter((message) => message.sessionId === sessionId)
      const middle = all.findIndex((message) => message.id === around)
      if (around !== undefined && middle === -1) throw notFound('message')
      let end = all.length
      if (around !== undefined) {
        const start = Math.max(0, Math.min(middle - Math.ceil((limit - 1) / 2), all.length - limit))
        end = Math.min(all.length, start + limit)
      } else if (after !== undefined) {
        const start = all.filter((message) => message.position <= after).length
        return pageOf(all, start, Math.min(all.length, start + limit))
      } else if (before !== undefined) {
        end = all.filter((message) => message.position < before).length
      }
      return pageOf(all, Math.max(0, end - limit), end)
    }
  }

  function pageOf(all: readonly MemoryMessage[], start: number, end: number): MessagePage {
    return { messages: all.slice(start, end).map(messageView), hasEarlier: start > 0, hasLater: end < all.length }
  }

  async function run<T>(action: () => T): Promise<T> {
    await Promise.resolve()
    if (closed) throw new CopilotError('unavailable', 'The history is closed.')
    return structuredClone(action())
  }

  return {
    createSession: (session) => run(() => calls.createSession(session)),
    updateSession: (...args) => run(() => calls.updateSession(...args)),
    removeSession: (id) => run(() => calls.removeSession(id)),
    session: (id) => run(() => calls.session(id)),
    listSessions: (filter) => run(() => calls.listSessions(filter)),
    accept: (input) => run(() => calls.accept(input)),
    question: (turnId) => run(() => calls.question(turnId)),
    editQuestion: (...args) => run(() => calls.editQuestion(...args)),
    outbox: () => run(() => calls.outbox()),
    outboxRow: (turnId) => run(() => calls.outboxRow(turnId)),
    changeOutbox: (...args) => run(() => calls.changeOutbox(...args)),
    waitingCount: () => run(() => calls.waitingCount()),
    saveEvents: (...args) => run(() => calls.saveEvents(...args)),
    message: (id) => run(() => calls.message(id)),
    page: (request) => run(() => calls.page(request)),
    search: async (query, signal) => {
      const began = performance.now()
      const stop = (): void => {
        if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.')
      }
      stop()
      return run(() => {
        stop()
        const clauses = parseSearch(query.text)
        const found = inOrder()
          .filter((message) => clauses.length > 0 && isSearched(message, turns) && matches(message.text, clauses))
          .filter((message) => {
            const session = sessionOf(message.sessionId)
            return (
              (query.sessionId ?? session.id) === session.id &&
              (query.clientName ?? session.clientName) === session.clientName &&
              (query.role ?? message.role) === message.role &&
              message.createdAt >= (query.from ?? 0) &&
              message.createdAt <= (query.to ?? Number.MAX_SAFE_INTEGER)
            )
          })
          .toReversed()
        const window = found.slice(0, Math.max(WINDOW, 2 * query.limit))
        const hits = rank(window, clauses, clock.now())
          .slice(0, query.limit)
          .map((candidate) => {
            const session = sessionOf(candidate.sessionId)
            return {
              messageId: candidate.id,
              sessionId: session.id,
              sessionTitle: session.title,
              clientName: session.clientName,
              role: candidate.role,
              createdAt: candidate.createdAt,
              snippet: snippet(candidate.text, clauses)
            }
          })
        return { hits, more: found.length > hits.length, tookMs: performance.now() - began }
      })
    },
    usage: (range) =>
      run(() => {
        const reporter = createUsageReporter()
        for (const row of ledger) {
          const isIn = row.at >= range.from && row.at < range.to
          if (isIn && (range.clientName ?? row.clientName) === row.clientName && (range.sessionId ?? row.sessionId) === row.sessionId)
            reporter.add(row)
        }
        return reporter.report(range)
      }),
    keepDraft: (...args) => run(() => keeping.calls.keepDraft(...args)),
    drafts: () => run(() => keeping.calls.drafts()),
    setRetention: (...args) => run(() => keeping.calls.setRetention(...args)),
    applyRetention: () => run(() => keeping.calls.applyRetention()),
    purgePreview: (scope) => run(() => keeping.calls.purgePreview(scope)),
    unendedTurns: (scope) => run(() => keeping.calls.unendedTurns(scope)),
    purge: (scope) => run(() => keeping.calls.purge(scope)),
    checkPages: () => run(() => null),
    copyBegins: () => run(() => undefined),
    copyMade: () => run(() => undefined),
    status: () => run(() => keeping.calls.status()),
    noteEvent: (...args) => run(() => keeping.calls.noteEvent(...args)),
    eventAt: (event) => run(() => keeping.calls.eventAt(event)),
    exportPage: (request) => run(() => bulk.exportPage(request)),
    exportSize: (scope) => run(() => bulk.exportSize(scope)),
    knownSessions: (ids) => run(() => bulk.knownSessions(ids)),
    beginImport: () => run(() => bulk.beginImport()),
    importRecords: (records) => run(() => bulk.importRecords(records)),
    finishImport: () => run(() => bulk.finishImport()),
    dropImport: () => run(() => bulk.dropImport()),
    indexImported: () => run(() => bulk.indexImported()),
    close: async () => {
      closed = true
      await Promise.resolve()
    }
  }
}

/** Half a surrogate pair at the end waits for its other half, unless nothing will come any more. */
function wholeText(view: TurnView): string {
  const whole = isEnded(view) ? view.text : view.text.replace(/[\uD800-\uDBFF]$/, '')
  return whole.toWellFormed()
}

/** An answer is searched once its turn has ended. */
function isSearched(message: MemoryMessage, turns: ReadonlyMap<string, MemoryTurn>): boolean {
  const turn = turns.get(message.turnId ?? '')
  return message.role !== 'assistant' || message.turnId === null || (turn !== undefined && isEnded(turn.view))
}
