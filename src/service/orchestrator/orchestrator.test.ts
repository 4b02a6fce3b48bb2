// Who answers when somebody falls, stands still or refuses; what a person reads of it; and what is on the account.
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { aRequest } from '../../../test/contracts/provider.ts'
import { anna, orchestra, plainTariff, scripted, stop, text, used, type OrchestraOptions, type Step } from '../../../test/fakes/service-orchestra.ts'
import { keptLog } from '../../../test/fakes/service-parts.ts'
import { CopilotError } from '../../shared/errors.ts'
import { systemClock } from '../../shared/kit/clock.ts'
import { createLocalKnowledge } from '../providers/localKnowledge.ts'
import { ProviderFailure, type FailureKind } from '../providers/failure.ts'
import { breakerRules } from './breaker.ts'
import { relayTiming } from './relayTiming.ts'
import { logSignal } from './signals.ts'
import { routeWeights } from './routing.ts'

const failure = (kind: FailureKind, retryAfterMs?: number): ProviderFailure =>
  new ProviderFailure(kind, `It is ${kind}.`, retryAfterMs === undefined ? {} : { retryAfterMs })
const quick = { ...relayTiming, patienceMs: 40, retryBudgetMs: 60, retryBaseMs: 5, retryCapMs: 10, lookAgainMs: 10, lastResortMs: 60 }
const house = (options: Partial<OrchestraOptions> & Pick<OrchestraOptions, 'providers'>) =>
  orchestra({ clock: systemClock, ...options, settings: { timing: quick, ...options.settings } })
const good = (piece = 'Good answer.'): Step[] => [text(piece), used(10, 5), stop]
const best = { facts: { quality: 3 } } as const

describe('the end of an answer', () => {
  const answered = async (steps: Step[], alongside: () => Promise<void>) => {
    const { orchestrator, ledger } = house({ providers: [scripted('a', [steps])] })
    const outcome = orchestrator.answer(aRequest, { signal: new AbortController().signal, emit: () => undefined, asker: anna, alongside })
    return { outcome, open: async () => (await ledger.total()).open }
  }

  it('waits for what is kept beside its cost', async () => {
    const kept = Promise.withResolvers<void>()
    const began = Promise.withResolvers<void>()
    const { outcome } = await answered(good(), () => (began.resolve(), kept.promise))
    let isOver = false
    void outcome.then(() => (isOver = true))
    await began.promise
    await wait(5)
    expect(isOver).toBe(false)
    kept.resolve()
    expect(await outcome).toMatchObject({ finish: 'stop' })
  })

  it('fails with what could not be kept, and has its cost on record', async () => {
    const { outcome, open } = await answered(good(), () => Promise.reject(new CopilotError('unavailable', 'The disk is full.')))
    await expect(outcome).rejects.toThrow('The disk is full.')
    expect(await open()).toBe(0)
  })

  it('leaves what a broken answer said to who asked', async () => {
    let isAsked = false
    const { outcome } = await answered([text('Half'), failure('invalid')], async () => void (isAsked = true))
    await expect(outcome).rejects.toMatchObject({ code: 'invalid_request' })
    expect(isAsked).toBe(false)
  })
})

describe('before the first text', () => {
  it.each<FailureKind>(['rate_limited', 'overloaded', 'unauthenticated', 'unavailable', 'timeout', 'cut'])(
    'lets the next one answer when the first is %s, and says so',
    async (kind) => {
      const first = scripted('a', [[failure(kind)]], best)
      const { ask } = house({ providers: [first, scripted('b', [good()])] })
      const heard = await ask(aRequest)
      expect(heard.text).toBe('Good answer.')
      expect(heard.events[0]).toEqual({ type: 'notice', kind: 'failover', text: `Answered by B after A failed: It is ${kind}.` })
      expect(heard.outcome?.usage).toMatchObject({ provider: 'b', model: 'b-1', failovers: 1 })
    }
  )

  it.each<FailureKind>(['invalid', 'refused', 'context_too_large'])('asks nobody else what everybody would call %s', async (kind) => {
    const second = scripted('b', [good()])
    const { ask } = house({ providers: [scripted('a', [[failure(kind)]], best), second] })
    expect((await ask(aRequest)).error).toMatchObject({ kind })
    expect(second.asked).toHaveLength(0)
  })

  it('tries a larger window when the first is too small', async () => {
    const larger = scripted('b', [good()], { facts: { contextWindow: 100_000 } })
    const { ask } = house({ providers: [scripted('a', [[failure('context_too_large')]], best), larger] })
    expect((await ask(aRequest)).text).toBe('Good answer.')
  })

  it('asks only those whose window takes the question, and leaves old turns out where it must', async () => {
    const history = Array.from(
      { length: 40 },
      (_, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content: 'word '.repeat(200) }) as const
    )
    const question = { role: 'user', content: 'And now?' } as const
    const request = { ...aRequest, question: question.content, prompt: [...history, question] }
    const small = scripted('a', [good()], { facts: { quality: 3, contextWindow: 4_000 } })
    await house({ providers: [small] }).ask(request)
    const sent = small.asked[0]?.prompt ?? []
    expect(sent.length).toBeLessThan(30)
    expect(sent.at(-1)).toEqual(question)
    const long = { role: 'user', content: 'word '.repeat(5_000) } as const
    const tiny = scripted('a', [good()], { facts: { quality: 3, contextWindow: 4_000 } })
    const { text: answer } = await house({ providers: [tiny, scripted('b', [good()], { facts: { contextWindow: 50_000 } })] }).ask({
      ...request,
      question: long.content,
      prompt: [long]
    })
    expect(answer).toBe('Good answer.')
    expect(tiny.asked).toHaveLength(0)
    expect((await house({ providers: [tiny] }).ask({ ...request, question: 'short', prompt: [long] })).error).toMatchObject({
      code: 'context_too_large'
    })
  })

  it('tries the same model again for a short time before it gives another kind of answer', async () => {
    const only = scripted('a', [[failure('unavailable')], good()])
    const { ask } = house({ providers: [only, createLocalKnowledge(0)] })
    expect((await ask(aRequest)).outcome?.usage.provider).toBe('a')
    expect(only.asked).toHaveLength(2)
  })

  it('does not wait for a model that asks for more time than there is', async () => {
    const only = scripted('a', [[failure('rate_limited', 60_000)], good()])
    const { ask } = house({ providers: [only, createLocalKnowledge(0)] })
    const heard = await ask(aRequest)
    expect(heard.outcome?.usage.provider).toBe('local')
    expect(heard.notices[0]).toBe('Answered from the built-in knowledge, without a language model, after A failed: It is rate_limited.')
    expect(only.asked).toHaveLength(1)
  })

  it('takes nothing at all for no answer', async () => {
    const { ask } = house({ providers: [scripted('a', [[stop]], best), scripted('b', [good()])] })
    expect((await ask(aRequest)).outcome?.usage.provider).toBe('b')
  })

  it('gives a silent one company, and goes on with whoever speaks first', async () => {
    const silent = scripted('a', [['hang']], best)
    const { ask, signals } = house({ providers: [silent, scripted('b', [good()])] })
    const heard = await ask(aRequest)
    expect(heard.text).toBe('Good answer.')
    expect(heard.notices).toEqual(['Answered by B after A failed: A was quiet for too long.'])
    expect(silent.open).toBe(0)
    expect(signals).toContainEqual(expect.objectContaining({ type: 'failover', from: 'a', to: 'b', midAnswer: false }))
  })

  it('lets a slow one win when it speaks first after all', async () => {
    const told = Promise.withResolvers<void>()
    const slow = scripted('a', [[{ after: told.promise }, ...good('Slow answer.')]], best)
    const company = scripted('b', [['hang']])
    const { ask } = house({ providers: [slow, company] })
    const asking = ask(aRequest)
    await vi.waitFor(() => expect(company.asked).toHaveLength(1))
    told.resolve()
    const heard = await asking
    expect(heard.text).toBe('Slow answer.')
    expect(heard.notices).toEqual([])
    expect(company.open).toBe(0)
  })

  it('finds company as soon as there is some', async () => {
    const company = scripted('b', [good()])
    let isThere = false
    const sleeper = { ...company, ready: () => Promise.resolve(isThere) }
    const { ask, orchestrator } = house({
      providers: [scripted('a', [['hang']], best), sleeper],
      settings: { timing: { ...quick, lookAgainMs: 10 } }
    })
    const asking = ask(aRequest)
    await wait(60)
    isThere = true
    await orchestrator.status(new AbortController().signal)
    expect((await asking).text).toBe('Good answer.')
  })

  it('asks company that failed once more while it waits on a silent one', async () => {
    const silent = scripted('a', [['hang']], best)
    const company = scripted('b', [[failure('unavailable')], good()])
    const { ask } = house({ providers: [silent, company] })
    expect(await ask(aRequest)).toMatchObject({ text: 'Good answer.' })
    expect(silent.open).toBe(0)
  })

  it('tells who failed last when nobody is left', async () => {
    const { ask } = house({ providers: [scripted('a', [[failure('unauthenticated')]])] })
    expect((await ask(aRequest)).error).toMatchObject({ code: 'unavailable', message: 'It is unauthenticated.' })
  })

  it('does not take a bug for an outage', async () => {
    const second = scripted('b', [good()])
    const { ask } = house({ providers: [scripted('a', [[new TypeError('undefined is not a function')]], best), second] })
    expect((await ask(aRequest)).error).toBeInstanceOf(TypeError)
    expect(second.asked).toHaveLength(0)
  })
})

describe('in the middle of an answer', () => {
  const half = 'The first half of it is long enough to be known again, '

  it('goes on with another one, keeps what was said, and repeats nothing', async () => {
    const second = scripted('b', [[text('is long enough to be '), text('known again, and here is the rest.'), used(1, 1), stop]])
    const { ask } = house({ providers: [scripted('a', [[text(half), failure('cut')]], best), second] })
    const heard = await ask(aRequest)
    expect(heard.text).toBe(`${half}and here is the rest.`)
    expect(heard.events.map(({ type }) => type)).toEqual(['delta', 'notice', 'delta'])
    expect(heard.notices).toEqual(['Continued by B after A failed: It is cut.'])
    const prompt = second.asked[0]?.prompt ?? []
    expect(prompt.at(-2)).toEqual({ role: 'assistant', content: half.trimEnd() })
    expect(prompt.at(-1)?.content).toContain('long enough to be known again,')
  })

  it('hands the beginning of the answer over where a model goes on by itself', async () => {
    const second = scripted('b', [[text(' and more.'), stop]], { facts: { prefill: true } })
    const { ask } = house({ providers: [scripted('a', [[text('Some'), failure('cut')]], best), second] })
    expect((await ask(aRequest)).text).toBe('Some and more.')
    expect(second.asked[0]?.prompt.at(-1)).toEqual({ role: 'assistant', content: 'Some' })
  })

  it('takes an end without a reason for a cut', async () => {
    const { ask } = house({ providers: [scripted('a', [[text(half)]], best), scripted('b', [[text('The end.'), stop]])] })
    expect((await ask(aRequest)).text).toBe(`${half}The end.`)
  })

  it('goes on past one that stands still', async () => {
    const still = scripted('a', [[text(half), 'hang']], best)
    const { ask } = house({ providers: [still, scripted('b', [[text('The end.'), stop]])] })
    const heard = await ask(aRequest)
    expect(heard.text).toBe(`${half}The end.`)
    expect(heard.notices).toEqual(['Continued by B after A failed: A was quiet for too long.'])
    expect(still.open).toBe(0)
  })

  it('stays with one that goes on before its company has a word', async () => {
    const told = Promise.withResolvers<void>()
    const pausing = scripted('a', [[text(half), { after: told.promise }, text('more.'), stop]], best)
    const company = scripted('b', [['hang']])
    const { ask } = house({ providers: [pausing, company] })
    const asking = ask(aRequest)
    await vi.waitFor(() => expect(company.asked).toHaveLength(1))
    told.resolve()
    expect(await asking).toMatchObject({ text: `${half}more.`, notices: [] })
  })

  it('asks one again that it stopped because another one spoke, when that one falls', async () => {
    const told = Promise.withResolvers<void>()
    const first = scripted('a', [[{ after: told.promise }, text(half), failure('unauthenticated')]], best)
    const overtaken = scripted('b', [['hang'], [text('The end.'), stop]])
    const { ask } = house({ providers: [first, overtaken] })
    const asking = ask(aRequest)
    await vi.waitFor(() => expect(overtaken.asked).toHaveLength(1))
    told.resolve()
    expect(await asking).toMatchObject({ text: `${half}The end.` })
    expect(overtaken.asked).toHaveLength(2)
  })

  it('keeps what was said when nobody can go on, and never starts again', async () => {
    const local = createLocalKnowledge(0)
    const only = scripted('a', [[text(half), failure('unauthenticated')], good()])
    const { ask } = house({ providers: [only, local] })
    const heard = await ask(aRequest)
    expect(heard.text).toBe(half)
    expect(heard.error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('What arrived is kept') })
    expect(only.asked).toHaveLength(1)
  })

  it('lets the same one go on when there is no other, in time', async () => {
    const only = scripted('a', [
      [text(half), failure('cut')],
      [text('The end.'), stop]
    ])
    const heard = await house({ providers: [only, createLocalKnowledge(0)] }).ask(aRequest)
    expect(heard.text).toBe(`${half}The end.`)
    expect(heard.notices).toEqual(['Continued by A after A failed: It is cut.'])
    const mute = scripted('a', [[text(half), failure('cut')], [failure('cut')], [failure('cut')], [text('Never.'), stop]])
    expect((await house({ providers: [mute] }).ask(aRequest)).error).toMatchObject({ message: expect.stringContaining('What arrived is kept') })
    expect(mute.asked.length).toBe(quick.attemptsPerModel + 1)
  })

  it('takes over a third time', async () => {
    const providers = [
      scripted('a', [[text('One two three four five '), failure('cut')]], { facts: { quality: 3 } }),
      scripted('b', [[text('One two three four five six seven eight '), failure('cut')]], { facts: { quality: 2 } }),
      scripted('c', [[text('three four five six seven eight nine.'), stop]])
    ]
    const heard = await house({ providers }).ask(aRequest)
    expect(heard.text).toBe('One two three four five six seven eight nine.')
    expect(heard.outcome?.usage.failovers).toBe(2)
  })
})

describe('the account', () => {
  it('has one row for each attempt, with what it used, and the answer costs their sum', async () => {
    const first = scripted('a', [[text('Half '), used(100, 5), failure('cut')]], best)
    const { ask, ledger } = house({ providers: [first, scripted('b', [[text('Half and more'), used(200, 7), stop]])] })
    const heard = await ask(aRequest)
    const rows = await ledger.attempts('turn-1')
    expect(rows.map(({ provider, settled }) => [provider, settled?.outcome, settled?.costMicros, settled?.estimated])).toEqual([
      ['a', 'failed', 250, false],
      ['b', 'answered', 470, false]
    ])
    expect(heard.outcome?.usage).toMatchObject({ inputTokens: 300, outputTokens: 12, costMicros: 720 })
    expect(rows[0]).toMatchObject({ organisation: 'north', client: 'Harbor', userId: 'anna', turnId: 'turn-1' })
  })

  it('estimates what a cut answer used when nobody says so, and marks it', async () => {
    const { ask, ledger } = house({ providers: [scripted('a', [[text('12345'), failure('cut')]], best), scripted('b', [good()])] })
    await ask(aRequest)
    const [cut] = await ledger.attempts('turn-1')
    const input = aRequest.prompt.reduce((sum, { content }) => sum + content.length, 0)
    expect(cut?.settled).toMatchObject({ inputTokens: input, outputTokens: 5, costMicros: input * 2 + 50, estimated: true })
  })

  it('charges nothing for a refusal at the door', async () => {
    const { ask, ledger } = house({ providers: [scripted('a', [[failure('unavailable')]], best), scripted('b', [good()])] })
    await ask(aRequest)
    expect((await ledger.attempts('turn-1'))[0]?.settled).toMatchObject({ costMicros: 0, estimated: false })
  })

  it('says in the answer, the figures and once in the log that nobody knows a model’s price, instead of calling it free', async () => {
    const priceless = { ...plainTariff, costMicros: () => null }
    const { ask, ledger, signals } = house({ providers: [scripted('a', [good()])], tariff: priceless })
    const heard = await ask(aRequest)
    expect(heard.notices).toEqual(['No price is known of a-1: this answer stands in the books with its tokens and without what they cost.'])
    expect((await ledger.attempts('turn-1'))[0]?.settled).toMatchObject({ inputTokens: 10, outputTokens: 5, costMicros: 0, priced: false })
    await ask(aRequest, { turnId: 'turn-2' })
    const unpriced = signals.filter(({ type }) => type === 'unpriced')
    expect(unpriced).toEqual([
      { type: 'unpriced', provider: 'a', model: 'a-1', isFirst: true },
      { type: 'unpriced', provider: 'a', model: 'a-1', isFirst: false }
    ])
    const logger = keptLog()
    for (const signal of unpriced) logSignal(logger, signal)
    expect(logger.lines).toMatchObject([{ level: 'warn', event: 'orchestrator.unpriced', fields: { provider: 'a', model: 'a-1' } }])
    // What refused before it began used nothing, so no price is missing.
    const refusing = house({ providers: [scripted('a', [[failure('unavailable')]]), createLocalKnowledge(0)], tariff: priceless })
    await refusing.ask(aRequest)
    expect(refusing.signals.filter(({ type }) => type === 'unpriced')).toEqual([])
  })

  it('is settled before the answer ends, also when it is stopped', async () => {
    const controller = new AbortController()
    const slow = scripted('a', [[text('Half'), 'hang']])
    const { ask, ledger } = house({ providers: [slow], settings: { timing: relayTiming } })
    const asking = ask(aRequest, {}, controller.signal)
    await vi.waitFor(() => expect(slow.open).toBe(1))
    await wait(5)
    controller.abort(new CopilotError('cancelled', 'Stopped. What arrived is kept.'))
    expect((await asking).error).toMatchObject({ code: 'cancelled', message: 'Stopped. What arrived is kept.' })
    expect(slow.open).toBe(0)
    expect((await ledger.attempts('turn-1'))[0]?.settled).toMatchObject({ outcome: 'cancelled', outputTokens: 4, estimated: true })
  })
})

describe('budgets', () => {
  const prompt = aRequest.prompt.reduce((sum, { content }) => sum + content.length, 0) * 2
  const spend = async (micros: number, cap: number, providers: OrchestraOptions['providers']) => {
    const made = house({ providers, caps: [{ organisation: 'north', client: null, micros: cap }], settings: { expectedOutputTokens: 10 } })
    await made.ledger.reserve({
      attemptId: 'before',
      turnId: 'before',
      userId: 'anna',
      organisation: 'north',
      client: '',
      provider: 'a',
      model: 'a-1',
      at: Date.now(),
      predictedMicros: 0,
      predictedInputTokens: 0
    })
    const settled = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, estimated: false, priced: true }
    await made.ledger.settle({ attemptId: 'before', at: Date.now(), outcome: 'answered', costMicros: micros, ...settled })
    return made
  }

  it.each([
    [799_999, []],
    [800_000, [expect.stringMatching(/80 % used\.$/)]],
    [899_999, [expect.stringMatching(/89 % used\.$/)]]
  ])('speaks up in time when %d of a million are spent', async (micros, notices) => {
    const { ask } = await spend(micros, 1_000_000, [scripted('a', [good()])])
    expect((await ask(aRequest)).notices).toEqual(notices)
  })

  it('asks the cheapest from 90 % on', async () => {
    const providers = [scripted('dear', [good('Dear.')], best), scripted('cheap', [good('Cheap.')])]
    const tariff = {
      promptTokens: () => 10,
      roughTokens: () => 10,
      textTokens: () => 10,
      costMicros: (profile: { readonly priceKey: string | null }) => (profile.priceKey === 'dear' ? 1_000 : 10)
    }
    const standing = { remainingMicros: 100_000, caps: [], resetAt: 1, overridden: false }
    const at = (level: 'free' | 'thrifty') =>
      house({ providers, tariff, budgets: { standing: () => Promise.resolve({ ...standing, level, text: null }) } }).ask(aRequest)
    expect((await at('free')).text).toBe('Dear.')
    expect((await at('thrifty')).text).toBe('Cheap.')
  })

  it('asks nobody at 100 %, and tells until when', async () => {
    const model = scripted('a', [good()])
    const { ask } = await spend(1_000_000, 1_000_000, [model])
    const { error } = await ask(aRequest)
    expect(error).toMatchObject({ code: 'budget_exhausted', resetAt: expect.any(Number) })
    expect((error as CopilotError).resetAt).toBeGreaterThan(Date.now())
    expect(model.asked).toHaveLength(0)
  })

  it('never passes the cap, however many ask at once', async () => {
    const price = prompt + 100
    const { ask, ledger } = await spend(0, price * 5, [scripted('a', [[text('x'), used(prompt / 2, 10), stop]]), createLocalKnowledge(0)])
    const all = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(aRequest, { turnId: `turn-${index}` })))
    const { spentMicros, reservedMicros } = await ledger.spending({ organisation: 'north', client: null }, new Date().toISOString().slice(0, 7))
    expect(reservedMicros).toBe(0)
    expect(spentMicros).toBe(price * 5)
    expect(all.filter(({ outcome }) => outcome?.usage.provider === 'a')).toHaveLength(5)
    expect(all.every(({ outcome, error }) => outcome !== null || (error as CopilotError).code === 'budget_exhausted')).toBe(true)
  })
})

describe('the queue', () => {
  it('makes a question wait when all places are taken, and says so', async () => {
    const told = Promise.withResolvers<void>()
    const model = scripted('a', [[{ after: told.promise }, ...good('First.')], good('Second.')])
    const { ask, orchestrator } = house({ providers: [model, createLocalKnowledge(0)], settings: { placesPerProvider: 1, timing: relayTiming } })
    const first = ask(aRequest, { turnId: 't1' })
    await vi.waitFor(() => expect(model.asked).toHaveLength(1))
    const second = ask(aRequest, { turnId: 't2' })
    await vi.waitFor(() => expect(orchestrator.queueDepth).toBe(1))
    told.resolve()
    expect((await first).text).toBe('First.')
    const heard = await second
    expect(heard.text).toBe('Second.')
    expect(heard.events[0]).toMatchObject({ type: 'queued', retryAt: expect.any(Number) })
    expect(orchestrator.queueDepth).toBe(0)
  })

  it('forgets one whose caller has gone', async () => {
    const model = scripted('a', [['hang']])
    const { ask, orchestrator } = house({ providers: [model], settings: { placesPerProvider: 1, timing: relayTiming } })
    const [one, two] = [new AbortController(), new AbortController()]
    const first = ask(aRequest, { turnId: 't1' }, one.signal)
    await vi.waitFor(() => expect(model.asked).toHaveLength(1))
    const second = ask(aRequest, { turnId: 't2' }, two.signal)
    await vi.waitFor(() => expect(orchestrator.queueDepth).toBe(1))
    two.abort()
    expect((await second).error).toMatchObject({ code: 'cancelled' })
    expect(orchestrator.queueDepth).toBe(0)
    one.abort()
    await first
  })
})

describe('breakers', () => {
  it('know of answers under way: a few failures among many that work open nothing', async () => {
    const told = Promise.withResolvers<void>()
    const long: Step[] = [text('Begun '), { after: told.promise }, text('and done.'), stop]
    const scripts = Array.from({ length: 60 }, (_, call) => (call < 40 ? long : [failure('unauthenticated')]))
    const { ask, orchestrator } = house({
      providers: [scripted('a', scripts), createLocalKnowledge(0)],
      settings: { placesPerProvider: 100, timing: relayTiming }
    })
    const long40 = Array.from({ length: 40 }, (_, turn) => ask(aRequest, { turnId: `l${turn}` }))
    await vi.waitFor(async () => expect((await orchestrator.status(new AbortController().signal))[0]?.inFlight).toBe(40))
    await wait(20)
    for (let turn = 0; turn < breakerRules.leastCalls + 5; turn += 1) await ask(aRequest, { turnId: `f${turn}` })
    expect((await orchestrator.status(new AbortController().signal))[0]?.breaker).toBe('closed')
    told.resolve()
    expect((await Promise.all(long40)).every((heard) => heard.text === 'Begun and done.')).toBe(true)
  })

  it('stay closed for models that were only overtaken, which lose rank instead', async () => {
    const slow = scripted('a', [['hang']], best)
    const { ask, orchestrator } = house({ providers: [slow, scripted('b', [good()])] })
    for (let turn = 0; turn < breakerRules.leastCalls + 2; turn += 1) await ask(aRequest, { turnId: `t${turn}` })
    expect((await orchestrator.status(new AbortController().signal))[0]).toMatchObject({ id: 'a', breaker: 'closed' })
    expect(slow.asked.length).toBeLessThan(5)
  })

  it('close again soon after the provider is well, also when nobody asks', async () => {
    let isWell = false
    const broken = {
      ...scripted('a', [...Array.from({ length: breakerRules.leastCalls }, () => [failure('unauthenticated')]), good('Well again.')], best),
      probe: () => (isWell ? Promise.resolve() : Promise.reject(failure('unavailable')))
    }
    const { ask, orchestrator, signals } = house({
      providers: [broken, scripted('b', [good()])],
      settings: { weights: { ...routeWeights, errors: 0 }, probeEveryMs: 10 }
    })
    const phase = async () => (await orchestrator.status(new AbortController().signal))[0]?.breaker
    for (let turn = 0; turn < breakerRules.leastCalls; turn += 1) await ask(aRequest, { turnId: `t${turn}` })
    await wait(40)
    expect(await phase()).toBe('open')
    isWell = true
    await vi.waitFor(async () => expect(await phase()).toBe('half-open'))
    for (let turn = 0; turn < 2; turn += 1) expect((await ask(aRequest, { turnId: `w${turn}` })).text).toBe('Well again.')
    expect(await phase()).toBe('closed')
    expect(signals.filter(({ type }) => type === 'breaker')).toMatchObject([{ phase: 'open' }, { phase: 'closed' }])
    orchestrator.stop()
  })

  it('stop asking a model that keeps failing, and ask again later', async () => {
    let at = 1_000_000
    const clock = { now: () => at }
    const broken = scripted('a', [...Array.from({ length: 20 }, () => [failure('unauthenticated')]), good('Well again.')], best)
    const { ask, orchestrator } = house({
      clock,
      providers: [broken, scripted('b', [good()])],
      settings: { weights: { ...routeWeights, errors: 0 } }
    })
    for (let turn = 0; turn < 15; turn += 1) await ask(aRequest, { turnId: `t${turn}` })
    expect(broken.asked.length).toBe(breakerRules.leastCalls)
    expect(await orchestrator.status(new AbortController().signal)).toMatchObject([
      { id: 'a', breaker: 'open', ready: false },
      { id: 'b', breaker: 'closed', ready: true }
    ])
    at += breakerRules.openMs + 1
    orchestrator.stop()
    await ask(aRequest, { turnId: 'later' })
    expect(broken.asked.length).toBe(breakerRules.leastCalls + 1)
  })
})
