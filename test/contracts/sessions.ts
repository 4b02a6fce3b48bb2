// What every store of chat sessions promises: nothing is found without its owner, a message is kept and answered once, in its order.
import { expect, it } from 'vitest'
import type { AnswerDetails, ChatMessage, ChatSession, PendingMessage, SessionKey, Sessions } from '../../src/service/sessions/sessions.ts'
import { aQuestion } from '../fakes/service-parts.ts'

export interface OpenSessions extends AsyncDisposable {
  readonly sessions: Sessions
}

export const aSession = (part: Partial<ChatSession> = {}): ChatSession => ({
  userId: 'anna', kind: 'consultant', sessionId: 's1', clientName: 'Northwind', context: { cloud: 'AWS' }, meetingType: null,
  metadata: { n: [1, { deep: true }] }, createdAt: 1_000, updatedAt: 1_000, ...part
}) // prettier-ignore

export const aPending = (messageId: string, part: Partial<PendingMessage> = {}): PendingMessage => {
  const question = aQuestion({ text: `words of ${messageId}` })
  return {
    userId: 'anna', kind: 'consultant', sessionId: 's1', messageId, role: 'user', content: question.text, createdAt: 2_000, state: 'pending',
    caller: { userId: 'anna', role: 'user', expiresAt: 99 }, question, ...part
  } // prettier-ignore
}

export const anAnswer = (replyTo: string, part: Partial<ChatMessage> = {}): ChatMessage & { readonly answer: AnswerDetails } => ({
  userId: 'anna', kind: 'consultant', sessionId: 's1', messageId: `answer to ${replyTo}`, role: 'assistant', content: 'Because.', createdAt: 3_000,
  state: 'unread', ...part, answer: { replyTo, model: 'm-1', support: 0.5, processingMs: 12 }
}) // prettier-ignore

const key = { userId: 'anna', kind: 'consultant', sessionId: 's1' } as const satisfies SessionKey
const idsOf = (messages: readonly ChatMessage[]): string[] => messages.map(({ messageId }) => messageId)

export function sessionsContract(open: () => Promise<OpenSessions>): void {
  it('are made once, changed, listed newest first by page, and removed, each only by its owner', async () => {
    await using house = await open()
    const { sessions } = house
    expect(await sessions.create(aSession())).toEqual(aSession())
    expect(await sessions.create(aSession({ clientName: 'Other' }))).toEqual(aSession())
    for (const [index, createdAt] of [5, 7, 7].entries()) await sessions.create(aSession({ sessionId: `t${index}`, createdAt }))
    await sessions.create(aSession({ userId: 'bob', clientName: 'Bob’s' }))
    await sessions.create(aSession({ kind: 'thread', sessionId: 'other kind' }))
    const page = await sessions.list(key, { limit: 2 })
    expect(page.map(({ sessionId }) => sessionId)).toEqual(['s1', 't2'])
    expect((await sessions.list(key, { limit: 9, before: { at: 7, id: 't2' } })).map(({ sessionId }) => sessionId)).toEqual(['t1', 't0'])
    const changed = { ...aSession(), context: 'plain', meetingType: 'review', updatedAt: 1_500 }
    expect(await sessions.update(key, { context: 'plain', meetingType: 'review' }, 1_500)).toEqual(changed)
    expect((await sessions.update(key, {}, 5))?.updatedAt).toBe(1_500)
    expect(await sessions.find(key)).toEqual(changed)
    expect(await sessions.find({ ...key, userId: 'eve' })).toBeNull()
    expect(await sessions.update({ ...key, userId: 'eve' }, { context: 'x' }, 9)).toBeNull()
    expect(await sessions.remove({ ...key, userId: 'eve' })).toBe(false)
    await sessions.keep(aPending('m1'))
    expect(await sessions.remove(key)).toBe(true)
    expect(await sessions.remove(key)).toBe(false)
    expect(await sessions.message(key, 'm1')).toBeNull()
    expect((await sessions.find({ ...key, userId: 'bob' }))?.clientName).toBe('Bob’s')
  })

  it('keep a message once, with what is needed to ask it again, and none without its session', async () => {
    await using house = await open()
    const { sessions } = house
    await expect(sessions.keep(aPending('m1'))).rejects.toMatchObject({ code: 'not_found' })
    await sessions.create(aSession())
    const message = aPending('m1')
    expect(await sessions.keep(message)).toBe(message)
    expect(await sessions.keep(aPending('m1', { content: 'other words' }))).toMatchObject({ content: message.content })
    expect(await sessions.keep(aPending('m1', { userId: 'bob', sessionId: 's1' })).catch((error: unknown) => error)).toMatchObject({
      code: 'not_found'
    })
    const again = { ...message, caller: { userId: 'anna', role: 'user', expiresAt: null } }
    expect(await sessions.pending()).toEqual([again])
    expect(await sessions.pending('bob')).toEqual([])
    expect([await sessions.pendingCount('anna'), await sessions.pendingCount('bob')]).toEqual([1, 0])
    const { turnId } = aQuestion()
    await sessions.askAgain(message, turnId)
    expect(await sessions.pending('anna')).toEqual([{ ...again, question: { ...message.question, turnId } }])
    expect((await sessions.find(key))?.updatedAt).toBe(message.createdAt)
  })

  it('let each message be asked after those before it in its session, until it is over', async () => {
    await using house = await open()
    const { sessions } = house
    await sessions.create(aSession())
    await sessions.create(aSession({ sessionId: 's2' }))
    for (const id of ['m1', 'm2']) await sessions.keep(aPending(id))
    await sessions.keep(aPending('elsewhere', { sessionId: 's2' }))
    const claim = (messageId: string): Promise<string> => sessions.claim({ ...key, messageId })
    expect(await claim('m2')).toBe('wait')
    expect([await claim('m1'), await claim('m1'), await claim('elsewhere')]).toEqual(['mine', 'mine', 'mine'])
    await sessions.fail(aPending('m1'))
    expect([await claim('m1'), await claim('m2'), await claim('never')]).toEqual(['over', 'mine', 'over'])
    expect(idsOf(await sessions.orphans())).toEqual(['m2', 'elsewhere'])
    expect((await sessions.message(key, 'm1'))?.state).toBe('failed')
  })

  it('take one answer to a message, unread until it was delivered', async () => {
    await using house = await open()
    const { sessions } = house
    await sessions.create(aSession())
    await sessions.keep(aPending('m1'))
    expect(await sessions.answer(anAnswer('m1'))).toBe(true)
    expect(await sessions.answer(anAnswer('m1', { messageId: 'late' }))).toBe(false)
    expect(await sessions.answer(anAnswer('m1', { sessionId: 'gone' }))).toBe(false)
    expect(await sessions.unread(key, 9)).toEqual([anAnswer('m1')])
    await sessions.markDelivered(key, [])
    await sessions.markDelivered({ ...key, userId: 'bob' }, ['answer to m1'])
    await sessions.markDelivered(key, ['answer to m1', 'never'])
    expect(await sessions.unread(key, 9)).toEqual([])
    expect(await sessions.pendingCount('anna')).toBe(0)
    expect((await sessions.message(key, 'answer to m1'))?.state).toBe('delivered')
  })

  it('tell the history by page, in the order in which it was said', async () => {
    await using house = await open()
    const { sessions } = house
    await sessions.create(aSession())
    await sessions.create(aSession({ sessionId: 's2' }))
    for (let index = 0; index < 5; index += 1) {
      await sessions.keep(aPending(`m${index}`, { createdAt: 2_000 + index * 10 }))
      await sessions.answer(anAnswer(`m${index}`, { createdAt: 2_005 + index * 10 }))
    }
    await sessions.keep(aPending('elsewhere', { sessionId: 's2' }))
    expect(idsOf(await sessions.history(key, { limit: 3 }))).toEqual(['answer to m3', 'm4', 'answer to m4'])
    expect(idsOf(await sessions.history(key, { limit: 2, before: 'm2' }))).toEqual(['m1', 'answer to m1'])
    expect(idsOf(await sessions.history(key, { limit: 9, before: 2_011 }))).toEqual(['m0', 'answer to m0', 'm1'])
    await expect(sessions.history(key, { limit: 2, before: 'elsewhere' })).rejects.toMatchObject({ code: 'invalid_request' })
    expect(idsOf(await sessions.after(key, 'answer to m3', 9))).toEqual(['m4', 'answer to m4'])
    expect(await sessions.after(key, 'never', 99)).toHaveLength(10)
  })

  it('keep any words as they are', async () => {
    await using house = await open()
    const { sessions } = house
    for (const [index, words] of ['\u0000', "'; DROP TABLE chat_session; --", '<script>', '😀\u0001', 'x'.repeat(200_000)].entries()) {
      const own = { ...key, userId: `user ${words.slice(0, 40)}`, sessionId: `${index}` }
      const session = aSession({ ...own, clientName: words, context: { [words.slice(0, 20)]: words } })
      expect(await sessions.create(session)).toEqual(session)
      await sessions.keep(aPending('m', { ...own, content: words }))
      expect(await sessions.message(own, 'm')).toMatchObject({ content: words })
    }
  })
}
