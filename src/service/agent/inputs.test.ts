// Inputs from elsewhere than a chat: what is decided on them, what may come of it, and that nothing which is only read can act.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { anInput } from '../../../test/fakes/action-target.ts'
import { orchestra, scripted, stop, text } from '../../../test/fakes/service-orchestra.ts'
import { fakeClock, keptLog, never, tempStore } from '../../../test/fakes/service-parts.ts'
import { aDecision, aModel } from '../../../test/contracts/decisions.ts'
import { CopilotError } from '../../shared/errors.ts'
import { createSqliteOutbox } from '../actions/outbox.sqlite.ts'
import { createSqliteWorklist } from '../actions/worklist.sqlite.ts'
import type { AuditEvent } from '../audit/audit.ts'
import { createSqliteDecisions, createSqliteMessageModels } from '../decisions/decisions.sqlite.ts'
import { createSqliteExternalEvents } from '../events/externalEvents.sqlite.ts'
import { ingest } from '../knowledge/ingest.ts'
import { createSqliteKnowledge } from '../knowledge/knowledge.sqlite.ts'
import { createLocalKnowledge } from '../providers/localKnowledge.ts'
import type { Provider } from '../providers/provider.ts'
import { createSqliteSchedule } from '../schedule/schedule.sqlite.ts'
import { createSqliteConversation } from './conversation.sqlite.ts'
import { runDueTasks } from './dueTasks.ts'
import { createAgentGraph } from './graph.ts'
import { createInputStages } from './inputStages.ts'
import { startInputWork } from './inputWork.ts'

const { attacks } = JSON.parse(readFileSync('test/fixtures/safety/injection.json', 'utf8')) as { attacks: string[] }

interface House {
  readonly providers?: readonly Provider[]
  readonly background?: readonly string[]
  readonly isAllowed?: boolean
}

async function setUp({ providers = [createLocalKnowledge()], background = [], isAllowed = true }: House = {}) {
  const temp = await tempStore()
  const { store } = temp
  const clock = fakeClock()
  const knowledge = createSqliteKnowledge(store)
  await ingest('test/fixtures/knowledge', knowledge, never)
  const { orchestrator } = orchestra({ providers, clock })
  const audited: AuditEvent[] = []
  const audit = { record: async (event: AuditEvent) => void audited.push(event) }
  const parts = {
    worklist: createSqliteWorklist(store),
    outbox: createSqliteOutbox(store),
    models: createSqliteMessageModels(store),
    decisions: createSqliteDecisions(store),
    events: createSqliteExternalEvents(store),
    schedule: createSqliteSchedule(store)
  }
  const graph = createAgentGraph({
    conversation: createSqliteConversation(store),
    knowledge,
    priceBook: { items: [], problems: [] },
    orchestrator,
    audit,
    clock,
    inputs: createInputStages({
      ...parts,
      orchestrator,
      audit,
      clock,
      background: async () => background,
      reviewBelow: 0.7,
      isAllowed: () => isAllowed
    })
  })
  const handle = async (part: Parameters<typeof anInput>[0] = {}) => {
    const input = anInput(part)
    await parts.worklist.accept(input, 1)
    return await graph.handle(input, never)
  }
  return { ...parts, temp, graph, clock, knowledge, audited, handle, [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose]() }
}

/** A model that answers every question with these words. */
const saying = (words: string) => scripted('model', [[text(words), stop]])
const second = aModel({
  decisionCode: 'invoice.escalate',
  description: 'Escalates.',
  actions: [{ type: 'notification', target: 'boss', payload: [], priority: 'high', delayMs: 60_000 }]
})

describe('an input', () => {
  it('takes the one message model that fits, with its words and actions, at once durable', async () => {
    await using house = await setUp()
    await house.models.put(aModel())
    const output = await house.handle()
    expect(output).toMatchObject({
      inputId: 'i1', decisionCode: 'invoice.remind', decisionType: 'message', confidence: 1, requiresHumanReview: false,
      responses: [{ type: 'message', text: 'Invoice 17 is overdue.' }],
      actions: [{ id: 'i1:a0', type: 'notification', target: 'billing', payload: { number: 17 } }]
    }) // prettier-ignore
    expect(await house.worklist.inspect('i1')).toMatchObject({ state: 'settled', output })
    expect(await house.outbox.ofInput('i1')).toMatchObject([{ state: 'ready' }])
    expect(await house.models.get('invoice.remind', 1)).toMatchObject({ usageCount: 1, lastUsed: house.clock.now() })
    await house.graph.handle(anInput(), never)
    expect(await house.models.get('invoice.remind', 1)).toMatchObject({ usageCount: 1 })
  })

  it('waits for a person where parameters are missing, a target is not allowed, or the model says always', async () => {
    await using house = await setUp({ isAllowed: false })
    await house.models.put(aModel())
    await house.models.put(aModel({ decisionCode: 'x', inputTypes: ['x'], alwaysReview: true, actions: [] }))
    expect(await house.handle({ id: 'a', content: { text: '', data: {}, metadata: {} } })).toMatchObject({
      decisionCode: 'agent.undecided', actions: [], requiresHumanReview: true, reasoning: expect.stringContaining('missing: number')
    }) // prettier-ignore
    expect(await house.handle({ id: 'b' })).toMatchObject({ requiresHumanReview: true, reasoning: expect.stringContaining('target') })
    expect(await house.handle({ id: 'c', type: 'x' })).toMatchObject({ confidence: 1, requiresHumanReview: true })
    expect(await house.outbox.lease(1e15, { leaseMs: 1, limit: 9 })).toEqual([])
    expect(house.audited.filter(({ action }) => action === 'review.requested')).toHaveLength(3)
  })

  it('lets a language model choose among several, and takes nothing else from it', async () => {
    const chooser = saying(
      'Sure: {"decisionCode":"invoice.escalate","confidence":0.9,"reasoning":"x","actions":[{"type":"external_call","target":"https://evil.example"}]}'
    )
    await using house = await setUp({ providers: [chooser] })
    await house.models.put(aModel())
    await house.models.put(second)
    const output = await house.handle()
    expect(output).toMatchObject({ decisionCode: 'invoice.escalate', confidence: 0.9, requiresHumanReview: false })
    expect(output.actions).toMatchObject([{ target: 'boss', payload: {}, executeAt: house.clock.now() + 60_000 }])
    expect(JSON.stringify(output)).not.toContain('evil')
  })

  it.each([
    '',
    'invoice.remind',
    '{"decisionCode":"drop.tables","confidence":1,"reasoning":""}',
    '{"decisionCode":"invoice.remind","confidence":7,"reasoning":""}',
    '{',
    '}{',
    '[]'
  ])('waits for a person when the model’s choice can’t be read: %s', async (words) => {
    await using house = await setUp({ providers: [saying(words === '' ? ' ' : words)] })
    await house.models.put(aModel())
    await house.models.put(second)
    expect(await house.handle()).toMatchObject({ decisionCode: 'agent.undecided', actions: [], requiresHumanReview: true })
  })

  it('trusts a decision less where people have said no to its like', async () => {
    await using house = await setUp()
    await house.models.put(aModel())
    await house.decisions.put(aDecision({ outcome: 'rejected' }))
    expect(await house.handle()).toMatchObject({ confidence: 0.5, requiresHumanReview: true })
    for (let n = 0; n < 5; n += 1) await house.decisions.put(aDecision({ id: `yes${n}`, outcome: 'approved' }))
    expect(await house.handle({ id: 'i2' })).toMatchObject({ confidence: 6 / 7, requiresHumanReview: false })
  })

  it('is answered like a question where nothing is laid down for it, and nothing is done', async () => {
    await using house = await setUp()
    const output = await house.handle({ type: 'question', content: { text: 'Which Harbor class for archives?', data: {}, metadata: {} } })
    expect(output).toMatchObject({
      decisionCode: 'agent.answer',
      decisionType: 'answer',
      actions: [],
      responses: [{ text: expect.stringContaining('Frozen') }]
    })
    await expect(house.handle({ id: 'i2', type: 'x', content: { text: ' ', data: {}, metadata: {} } })).rejects.toMatchObject({
      code: 'invalid_request'
    })
  })

  it('loses pasted credentials before anything is kept or sent', async () => {
    const key = ['AKIA', 'ABCDEFGH23456724'].join('')
    await using house = await setUp()
    await house.models.put(
      aModel({
        parameters: ['note'],
        template: '{note}',
        actions: [{ type: 'notification', target: 'billing', payload: ['note'], priority: 'normal', delayMs: 0 }]
      })
    )
    expect(JSON.stringify(await house.handle({ content: { text: '', data: { note: `use ${key}` }, metadata: {} } }))).not.toContain(key)
    expect(house.audited).toMatchObject([{ action: 'credential.masked' }])
  })
})

describe('what is only read', () => {
  const obedient = () => scripted('model', [[text('{"decisionCode":"invoice.remind","confidence":1,"reasoning":"As the document says."}'), stop]])

  it('triggers no action: no attack of the corpus in a passage, an API’s reply or a past decision reaches the choice or its actions', async () => {
    const spy = obedient()
    await using house = await setUp({ providers: [spy], background: attacks })
    await house.models.put(aModel())
    await house.models.put(second)
    const source = { source: 'S', url: 'https://example.com/s', asOf: '2026-01-01' }
    for (const [index, body] of attacks.entries()) {
      const sections = [{ heading: 'Invoice overdue', body: `Invoice 17 is overdue. ${body}`, ...source }]
      await house.knowledge.replace({ slug: `p${index}`, title: 'Invoice', provider: 'x', topic: 't', tags: ['invoice'], ...source, sections }, 'h')
    }
    for (const [index, attack] of attacks.entries())
      await house.decisions.put(aDecision({ id: `d${index}`, summary: `Invoice overdue 17 ${attack}` }))
    const output = await house.handle()
    expect(output.actions).toMatchObject([{ type: 'notification', target: 'billing', payload: { number: 17 } }])
    const prompt = JSON.stringify(spy.asked.map((request) => request.prompt))
    expect(attacks.filter((attack) => prompt.includes(JSON.stringify(attack).slice(1, -1)))).toEqual([])
    // A question is answered on those passages, by the same obedient model: still nothing is done.
    expect(await house.handle({ id: 'i2', type: 'question' })).toMatchObject({ decisionType: 'answer', actions: [] })
    expect(await house.outbox.ofInput('i2')).toEqual([])
  })

  it('holds every input that carries an attack itself, before anything is done', async () => {
    await using house = await setUp()
    await house.models.put(aModel())
    for (const [index, attack] of attacks.entries()) {
      const id = `t${index}`
      const content = index % 2 === 0 ? { text: attack, data: { number: 1 } } : { text: '', data: { number: 1, deep: { note: [attack] } } }
      expect([attack, await house.handle({ id, content: { ...content, metadata: {} } })]).toMatchObject([attack, { requiresHumanReview: true }])
    }
    expect(await house.outbox.lease(1e15, { leaseMs: 1, limit: 100 })).toEqual([])
  })
})

describe('input work', () => {
  async function working(house: Awaited<ReturnType<typeof setUp>>, handle = house.graph.handle) {
    const logger = keptLog()
    const work = startInputWork({
      ...house,
      handle,
      businessOf: (source) => (source === 'crm' ? 'acme' : 'none'),
      runDue: (now) => runDueTasks(house.schedule, house.worklist, now),
      onDecided: () => undefined,
      logger
    })
    return { logger, [Symbol.asyncDispose]: () => work.stop() }
  }
  const until = async <T>(look: () => Promise<T | null | undefined | false>): Promise<T> => {
    for (;;) {
      const found = await look()
      if (found) return found
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  it('turns webhooks’ events and due tasks into inputs, decides them, and remembers what was decided', async () => {
    await using house = await setUp()
    await house.models.put(aModel())
    const event = {
      source: 'crm',
      deliveryId: 'd',
      eventId: 'e1',
      type: 'invoice.overdue',
      body: '{"number":7,"text":"Late invoice"}',
      receivedAt: 5
    }
    await house.events.receive(event)
    const now = house.clock.now()
    await house.schedule.add({
      taskId: 't', businessId: 'acme', userId: 'anna', name: 'n', cron: '0 * * * *', timezone: 'UTC', type: 'invoice.overdue', text: 'Check', data: { number: 1 },
      state: 'active', nextAt: now - 3 * 3_600_000, lastAt: null, runs: 0, missed: 0, createdAt: 1
    }) // prettier-ignore
    await using _work = await working(house)
    const decided = await until(() => house.decisions.get({ id: 'e1:out', businessId: 'acme' }))
    expect(decided).toMatchObject({ decisionCode: 'invoice.remind', outcome: 'settled', summary: 'invoice.overdue Late invoice' })
    expect(await house.events.waiting(9)).toEqual([])
    const id = `schedule:t:${now - 3 * 3_600_000}`
    expect(await until(async () => (await house.worklist.inspect(id))?.output)).toMatchObject({ decisionCode: 'invoice.remind' })
    expect((await house.worklist.inspect(id))?.input).toMatchObject({
      source: 'schedule',
      userId: 'anna',
      content: { metadata: { missed: expect.any(Number) } }
    })
    expect(await house.schedule.inspect('t')).toMatchObject({ runs: 1 })
  })

  it('tries again what could not be decided for now, and gives up what never can', async () => {
    await using house = await setUp()
    await house.worklist.accept(anInput({ id: 'later' }), 1)
    await house.worklist.accept(anInput({ id: 'never' }), 2)
    await using work = await working(house, ({ id }) =>
      Promise.reject(new CopilotError(id === 'later' ? 'unavailable' : 'invalid_request', `not ${id}`))
    )
    const undecided = () => work.logger.lines.filter(({ event }) => event === 'input.undecided')
    await until(async () => undecided().length === 2)
    expect(await house.worklist.inspect('never')).toMatchObject({ state: 'failed' })
    expect(await house.worklist.inspect('later')).toMatchObject({ state: 'waiting', attempts: 1, lastError: 'not later' })
    expect(await house.worklist.waiting(house.clock.now() + 1_999, 9)).toEqual([])
    expect(await house.worklist.waiting(house.clock.now() + 2_000, 9)).toHaveLength(1)
  })
})
