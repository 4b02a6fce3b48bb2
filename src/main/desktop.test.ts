// The core as a whole on fakes: a question is saved, sent once and in order, streamed, stopped, resumed.
import { describe, expect, it } from 'vitest'
import { numbered } from '../../test/fakes/arbitraries.ts'
import { createFakeCore, type FakeCore } from '../../test/fakes/core.ts'
import type { Delta } from '../shared/bridge.ts'
import type { Message } from '../shared/domain.ts'
import { CopilotError } from '../shared/errors.ts'
import type { Link } from './link/link.ts'
import { reduceTurn, type Question, type TurnEvent, type TurnEventBody } from '../shared/turn.ts'

const answering =
  (...pieces: string[]) =>
  (question: Question, afterSeq: number): TurnEvent[] => {
    const bodies: TurnEventBody[] = [
      { type: 'accepted', messageId: `answer-${question.turnId}` },
      ...pieces.map((text) => ({ type: 'delta' as const, text })),
      { type: 'done', messageId: `answer-${question.turnId}`, finish: 'stop' }
    ]
    return numbered(question.turnId, bodies).slice(afterSeq)
  }
const deltas = (core: FakeCore): Delta[] => core.pushes.flatMap((push) => push.deltas)
const messages = async (core: FakeCore): Promise<readonly Message[]> => (await core.history.page({ sessionId: core.session.id, limit: 100 })).messages
const answers = async (core: FakeCore): Promise<readonly Message[]> => (await messages(core)).filter((m) => m.role === 'assistant')
const ask = async (core: FakeCore, text: string): Promise<string> => {
  const turnId = core.turnId()
  await core.desktop.desk.ask({ turnId, sessionId: core.session.id, text })
  return turnId
}
const settled = (core: FakeCore, count: number): Promise<void> =>
  core.until(async () => (await answers(core)).filter((m) => m.answer?.state !== 'answering').length >= count)

describe('a question', () => {
  it('is durable before it is accepted, then sent, and its answer kept', async () => {
    const core = await createFakeCore()
    core.link.play(answering('It ', 'depends.'))
    const turnId = await ask(core, ' What is S3? ')
    expect(await core.history.question(turnId)).toMatchObject({ text: 'What is S3?', context: { session_title: 'Northwind review' } })
    await settled(core, 1)
    expect(await messages(core)).toMatchObject([
      { role: 'user', text: 'What is S3?', delivery: { state: 'settled', attempts: 1 } },
      { role: 'assistant', text: 'It depends.', answer: { state: 'done', finish: 'stop' } }
    ])
    await core.desktop.stop()
  })

  it('is asked once however often the window asks', async () => {
    const core = await createFakeCore()
    core.link.play(answering('Once.'))
    const turnId = core.turnId()
    const input = { turnId, sessionId: core.session.id, text: 'Again?' }
    const [a, b] = await Promise.all([core.desktop.desk.ask(input), core.desktop.desk.ask(input)])
    expect(a.message.id).toBe(b.message.id)
    await settled(core, 1)
    expect(core.link.asked).toHaveLength(1)
    await core.desktop.stop()
  })

  it.each([
    ['empty', '', 'nothing to ask'],
    ['blank', ' \n\t ', 'nothing to ask'],
    ['only control characters', '\u0000\u001b', 'nothing to ask'],
    ['200 kB long', 'x'.repeat(200_000), '200,000 characters']
  ])('is refused in plain words when it is %s, and nothing is saved', async (_kind, text, words) => {
    const core = await createFakeCore()
    await expect(ask(core, text)).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining(words) as string })
    expect(await messages(core)).toEqual([])
    await core.desktop.stop()
  })

  it('keeps script, markup and broken Unicode as harmless text', async () => {
    const core = await createFakeCore()
    core.link.play(answering('<img src=x onerror=alert(1)>'))
    await ask(core, '<script>alert(1)</script>\ud800 \u202e')
    await settled(core, 1)
    expect((await messages(core)).map((m) => m.text)).toEqual(['<script>alert(1)</script>\ufffd', '<img src=x onerror=alert(1)>'])
    await core.desktop.stop()
  })
})

describe('offline', () => {
  it('keeps questions and sends them in order when the link is back', async () => {
    const core = await createFakeCore()
    core.link.become('offline')
    core.link.play(answering('Yes.'))
    for (const text of ['one', 'two', 'three']) await ask(core, text)
    expect(core.link.asked).toEqual([])
    expect((await core.desktop.snapshot()).waiting).toBe(3)
    core.link.become('online')
    await settled(core, 3)
    expect(core.link.asked.map((a) => a.text)).toEqual(['one', 'two', 'three'])
    await core.desktop.stop()
  })

  it('asks before it sends what has waited for more than an hour', async () => {
    const core = await createFakeCore()
    core.link.become('offline')
    core.link.play(answering('Yes.'))
    await ask(core, 'old')
    core.clock.at += 3_600_001
    core.link.become('online')
    await ask(core, 'new')
    await settled(core, 1)
    expect(core.link.asked.map((a) => a.text)).toEqual(['new'])
    const [old] = await core.desktop.desk.waiting()
    expect(old).toMatchObject({ text: 'old', delivery: { needsConfirmation: true } })
    await core.desktop.desk.sendNow(old!.id)
    await settled(core, 2)
    await core.desktop.stop()
  })

  it('resumes an answer after the last piece that is stored', async () => {
    const core = await createFakeCore()
    const whole = answering('One ', 'two ', 'three.')
    core.link.play(
      (question) => [...whole(question, 0).slice(0, 3), new CopilotError('offline', 'Cut.')],
      (question, afterSeq) => whole(question, afterSeq)
    )
    const turnId = await ask(core, 'Count.')
    await core.until(async () => (await core.history.outboxRow(turnId))?.state === 'waiting')
    core.link.become('offline')
    core.link.become('online')
    await settled(core, 1)
    expect(core.link.asked.map((a) => a.afterSeq)).toEqual([0, 3])
    expect(await answers(core)).toMatchObject([{ text: 'One two three.' }])
    await core.desktop.stop()
  })
})

describe('the mirror', () => {
  it('gives windows the message first, then its events, then the message as it is kept', async () => {
    const core = await createFakeCore()
    core.link.play(answering('A', 'B', 'C'))
    const turnId = await ask(core, 'Letters?')
    await settled(core, 1)
    await core.until(() => deltas(core).some((d) => d.slice === 'message' && d.value.answer?.state === 'done'))
    const mine = deltas(core).filter((d) => (d.slice === 'message' && d.value.role === 'assistant') || d.slice === 'turn')
    expect(mine[0]).toMatchObject({ slice: 'message', value: { text: '', answer: { lastSeq: 1 } } })
    const events = mine.flatMap((d) => (d.slice === 'turn' ? d.events : []))
    expect(reduceTurn([{ turnId, seq: 1, at: 1, type: 'accepted', messageId: 'x' }, ...events]).text).toBe('ABC')
    expect(mine.at(-1)).toMatchObject({ slice: 'message', value: { text: 'ABC', answer: { state: 'done' } } })
    expect(core.pushes.map((p) => p.seq)).toEqual(core.pushes.map((_, i) => i + core.pushes[0]!.seq))
    await core.desktop.stop()
  })
})

describe('failures', () => {
  it('lets the next question pass one that was refused, and says why', async () => {
    const core = await createFakeCore()
    core.link.play(() => [new CopilotError('refused', 'This can’t be answered.')], answering('Fine.'))
    await ask(core, 'poison')
    await ask(core, 'good')
    await settled(core, 1)
    expect(await messages(core)).toMatchObject([
      { text: 'poison', delivery: { state: 'failed', error: { code: 'refused', message: 'This can’t be answered.' } } },
      { text: 'good', delivery: { state: 'settled' } },
      { text: 'Fine.' }
    ])
    await core.desktop.stop()
  })

  it('leaves the outbox when a person gives it up after it failed, and stays in the transcript', async () => {
    const core = await createFakeCore()
    core.link.play(() => [new CopilotError('refused', 'This can’t be answered.')])
    await ask(core, 'poison')
    await core.until(async () => (await core.desktop.desk.waiting())[0]?.delivery?.state === 'failed')
    const [failed] = await core.desktop.desk.waiting()
    await core.desktop.desk.cancel(failed!.id)
    expect(await core.desktop.desk.waiting()).toEqual([])
    expect(await messages(core)).toMatchObject([{ text: 'poison', delivery: { state: 'cancelled' } }])
    await core.desktop.stop()
  })

  it('keeps half an answer that failed, and can ask again', async () => {
    const core = await createFakeCore()
    core.link.play(
      (question) => [
        ...answering('Half')(question, 0).slice(0, 2),
        { turnId: question.turnId, seq: 3, at: 1, type: 'failed', error: { code: 'unavailable', message: 'The model went away.' } }
      ],
      answering('Whole.')
    )
    await ask(core, 'Finish?')
    await settled(core, 1)
    expect(await answers(core)).toMatchObject([{ text: 'Half', answer: { state: 'failed', error: { code: 'unavailable' } } }])
    const [question] = await messages(core)
    await core.desktop.desk.askAgain(question!.id, core.turnId())
    await settled(core, 2)
    expect((await answers(core)).map((m) => m.text)).toEqual(['Half', 'Whole.'])
    await core.desktop.stop()
  })

  it('ends a stopped answer here when the service says nothing more', async () => {
    const core = await createFakeCore()
    const held = Promise.withResolvers<void>()
    const silent: Pick<Link, 'ask' | 'cancel'> = {
      async *ask(question, { signal }) {
        yield* answering('So far')(question, 0).slice(0, 2)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
        held.resolve()
        throw new CopilotError('cancelled', 'Stopped.')
      },
      cancel: async () => false
    }
    Object.assign(core.link, silent)
    const turnId = await ask(core, 'Long?')
    await core.until(async () => (await answers(core)).some((m) => m.answer?.state === 'answering'))
    await core.desktop.desk.stop(turnId)
    await held.promise
    expect(await answers(core)).toMatchObject([{ text: 'So far', answer: { state: 'cancelled' } }])
    await core.desktop.stop()
  })
})

describe('askAndFollow', () => {
  it('gives every event of the turn, once', async () => {
    const core = await createFakeCore()
    core.link.play(answering('A', 'B'))
    const turnId = core.turnId()
    const events: TurnEvent[] = []
    const input = { turnId, sessionId: core.session.id, text: 'Hm?' }
    for await (const event of core.desktop.askAndFollow(input, { signal: AbortSignal.timeout(5_000), patienceMs: 1_000 })) events.push(event)
    expect(events.map((e) => e.seq)).toEqual([1, 2, 3, 4])
    await core.desktop.stop()
  })

  it('ends with the reason when the question is refused before any event', async () => {
    const core = await createFakeCore()
    core.link.play(() => [new CopilotError('refused', 'This can’t be answered.')])
    const input = { turnId: core.turnId(), sessionId: core.session.id, text: 'Poison?' }
    const follow = core.desktop.askAndFollow(input, { signal: AbortSignal.timeout(5_000), patienceMs: 1_000 })
    await expect(follow.next()).rejects.toMatchObject({ code: 'refused', message: 'This can’t be answered.' })
    await core.desktop.stop()
  })

  it('gives up waiting for a link that is down, and keeps the question', async () => {
    const core = await createFakeCore()
    core.link.become('offline')
    const input = { turnId: core.turnId(), sessionId: core.session.id, text: 'Anyone?' }
    const follow = core.desktop.askAndFollow(input, { signal: AbortSignal.timeout(5_000), patienceMs: 20 })
    await expect(follow.next()).rejects.toMatchObject({ code: 'offline' })
    expect((await core.desktop.desk.waiting()).map((m) => m.text)).toEqual(['Anyone?'])
    expect(core.desktop.busy()).toBe(false)
    await core.desktop.stop()
  })
})

describe('the router', () => {
  it('answers every bad call with an envelope', async () => {
    const core = await createFakeCore()
    const call = (method: unknown, input?: unknown) => core.desktop.router.call(method, input)
    expect(await call('nope')).toMatchObject({ ok: false, error: { code: 'not_found' } })
    expect(await call('__proto__')).toMatchObject({ ok: false, error: { code: 'not_found' } })
    expect(await call('turn.ask', { text: 7 })).toMatchObject({ ok: false, error: { code: 'invalid_request' } })
    expect(await call('messages.page', { sessionId: 's', limit: 1e9 })).toMatchObject({ ok: false, error: { code: 'invalid_request' } })
    expect(await call('snapshot', null)).toMatchObject({ ok: true, value: { seq: expect.any(Number) as number } })
    await core.desktop.stop()
  })

  it('opens web and mail links, and nothing else', async () => {
    const core = await createFakeCore()
    const open = (url: string) => core.desktop.router.call('link.open', { url })
    expect(await open('https://docs.aws.amazon.com/')).toMatchObject({ ok: true })
    for (const url of ['file:///etc/passwd', 'javascript:alert(1)', 'aside://ask?q=x', 'smb://host/share', 'no link']) {
      expect(await open(url)).toMatchObject({ ok: false, error: { code: 'refused' } })
    }
    expect(core.opened).toEqual(['https://docs.aws.amazon.com/'])
    await core.desktop.stop()
  })
})
