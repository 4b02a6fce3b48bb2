// What every store of message models and past decisions promises.
import { describe, expect, it } from 'vitest'
import type { Decisions, MessageModel, MessageModels, PastDecision } from '../../src/service/decisions/decisions.ts'

export interface OpenDecisions extends AsyncDisposable {
  readonly models: MessageModels
  readonly decisions: Decisions
}

export const aModel = (part: Partial<MessageModel> = {}): MessageModel => ({
  decisionCode: 'invoice.remind',
  version: 1,
  businessId: null,
  description: 'Reminds of an overdue invoice.',
  inputTypes: ['invoice.overdue'],
  decisionType: 'message',
  template: 'Invoice {number} is overdue.',
  parameters: ['number'],
  actions: [{ type: 'notification', target: 'billing', payload: ['number'], priority: 'normal', delayMs: 0 }],
  alwaysReview: false,
  ...part
})

export const aDecision = (part: Partial<PastDecision> = {}): PastDecision => ({
  id: 'd1',
  businessId: 'acme',
  inputId: 'i1',
  userId: 'anna',
  inputType: 'invoice.overdue',
  decisionCode: 'invoice.remind',
  decisionType: 'message',
  confidence: 0.9,
  outcome: 'settled',
  summary: 'Invoice 17 of Northwind is overdue',
  decidedAt: 1_000,
  ...part
})

export function decisionsContract(open: () => Promise<OpenDecisions>): void {
  describe('message models', () => {
    it('are kept by code and version, and a version never changes', async () => {
      await using store = await open()
      await store.models.put(aModel())
      await store.models.put(aModel())
      await expect(store.models.put(aModel({ template: 'Pay now.' }))).rejects.toMatchObject({ code: 'conflict' })
      expect(await store.models.get('invoice.remind', 1)).toEqual({ ...aModel(), usageCount: 0, lastUsed: null })
      expect(await store.models.get('invoice.remind', 2)).toBeNull()
    })

    it('are found for an input by their latest version, within the business', async () => {
      await using store = await open()
      await store.models.put(aModel({ version: 2, template: 'Two' }))
      await store.models.put(aModel({ version: 10, template: 'Ten' }))
      await store.models.put(aModel({ decisionCode: 'b.own', businessId: 'acme' }))
      await store.models.put(aModel({ decisionCode: 'c.other', businessId: 'globex' }))
      await store.models.put(aModel({ decisionCode: 'd.withdrawn' }))
      await store.models.put(aModel({ decisionCode: 'd.withdrawn', version: 2, inputTypes: ['never'] }))
      const found = await store.models.fitting('invoice.overdue', 'acme')
      expect(found.map(({ decisionCode, version }) => [decisionCode, version])).toEqual([
        ['b.own', 1],
        ['invoice.remind', 10]
      ])
      expect(await store.models.fitting('else', 'acme')).toEqual([])
      expect((await store.models.list()).map(({ decisionCode }) => decisionCode)).toEqual(['b.own', 'c.other', 'd.withdrawn', 'invoice.remind'])
    })

    it('count their uses, also at the same moment; a use of none makes none', async () => {
      await using store = await open()
      await store.models.put(aModel())
      await Promise.all(Array.from({ length: 20 }, () => store.models.used('invoice.remind', 1, 5_000)))
      await store.models.used('nobody', 1, 5_000)
      expect(await store.models.get('invoice.remind', 1)).toMatchObject({ usageCount: 20, lastUsed: 5_000 })
      expect(await store.models.get('nobody', 1)).toBeNull()
    })
  })

  describe('past decisions', () => {
    it('are kept by id and business; the same key again takes its place', async () => {
      await using store = await open()
      await store.decisions.put(aDecision({ outcome: 'held' }))
      await store.decisions.put(aDecision({ outcome: 'approved' }))
      await store.decisions.put(aDecision({ businessId: 'globex', summary: 'Another one' }))
      expect(await store.decisions.get({ id: 'd1', businessId: 'acme' })).toEqual(aDecision({ outcome: 'approved' }))
      expect(await store.decisions.get({ id: 'd1', businessId: 'globex' })).toMatchObject({ summary: 'Another one' })
      expect(await store.decisions.get({ id: 'd2', businessId: 'acme' })).toBeNull()
      expect(await store.decisions.similar({ businessId: 'acme', text: 'overdue invoice', limit: 9 })).toHaveLength(1)
    })

    it('are found by what they were about, most alike first, never those of another business', async () => {
      await using store = await open()
      await store.decisions.put(aDecision({ id: 'far', summary: 'Weekly report of Fabrikam, one invoice' }))
      await store.decisions.put(aDecision({ id: 'near', summary: 'Overdue invoice of Northwind, second reminder' }))
      await store.decisions.put(aDecision({ id: 'none', summary: 'Delivery of chairs' }))
      await store.decisions.put(aDecision({ id: 'theirs', businessId: 'globex', summary: 'Overdue invoice of Northwind' }))
      const text = 'invoice overdue: Northwind'
      expect((await store.decisions.similar({ businessId: 'acme', text, limit: 9 })).map(({ id }) => id)).toEqual(['near', 'far'])
      expect((await store.decisions.similar({ businessId: 'acme', text, limit: 1 })).map(({ id }) => id)).toEqual(['near'])
    })

    it.each(['', '  ', '"', 'a OR', 'NEAR( " * ^', '\u0000\ud800', 'x'.repeat(200_000), '<script>alert(1)</script>'])(
      'take any text to look for: %#',
      async (text) => {
        await using store = await open()
        await store.decisions.put(aDecision())
        expect(await store.decisions.similar({ businessId: 'acme', text, limit: 3 })).toEqual([])
      }
    )

    it('of one person can be read, oldest first', async () => {
      await using store = await open()
      const [first, second] = [aDecision({ id: 'd1', decidedAt: 1_000 }), aDecision({ id: 'd2', decidedAt: 2_000 })]
      for (const decision of [second, first, aDecision({ id: 'd3', userId: 'bob' })]) await store.decisions.put(decision)
      expect(await store.decisions.of('anna')).toEqual([first, second])
      expect(await store.decisions.of('nobody')).toEqual([])
    })

    it('are forgotten before a moment, whoever’s they were, and are not found any more', async () => {
      await using store = await open()
      for (const [id, decidedAt] of Object.entries({ old: 1_000, edge: 2_000, young: 3_000 })) await store.decisions.put(aDecision({ id, decidedAt }))
      expect(await store.decisions.forget(2_000)).toBe(1)
      expect(await store.decisions.forget(2_000)).toBe(0)
      const left = await store.decisions.similar({ businessId: 'acme', text: 'invoice', limit: 9 })
      expect(left.map(({ id }) => id).toSorted()).toEqual(['edge', 'young'])
    })

    it('of one person can be erased, and are not found any more', async () => {
      await using store = await open()
      await store.decisions.put(aDecision())
      await store.decisions.put(aDecision({ id: 'd2', userId: 'bob' }))
      const { userId: _nobody, ...ownerless } = aDecision({ id: 'd3' })
      await store.decisions.put(ownerless)
      expect(await store.decisions.erase('anna')).toBe(1)
      expect(await store.decisions.erase('anna')).toBe(0)
      const left = await store.decisions.similar({ businessId: 'acme', text: 'invoice', limit: 9 })
      expect(left.map(({ id }) => id).toSorted()).toEqual(['d2', 'd3'])
    })
  })
}
