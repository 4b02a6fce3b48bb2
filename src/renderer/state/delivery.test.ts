// Every state of a question has one word, and only the actions that the core accepts.
import { describe, expect, it } from 'vitest'
import type { Answer, Delivery, LinkStatus } from '../../shared/domain.ts'
import { deliveryView } from './delivery.ts'

const base: Delivery = { state: 'waiting', attempts: 0, nextAttemptAt: null, needsConfirmation: false, error: null }
const done: Answer = { state: 'done', citations: [], notices: [], usage: null, error: null, finish: 'stop', lastSeq: 3 }
const view = (delivery: Partial<Delivery>, answer: Answer | null = null, link: LinkStatus['state'] = 'online') =>
  deliveryView({ ...base, ...delivery }, { answer, link, time: (at) => `t${at}` })

describe('deliveryView', () => {
  it.each([
    ['saved', view({})],
    ['queued', view({}, null, 'offline')],
    ['queued', view({ attempts: 2, nextAttemptAt: 9 })],
    ['confirm', view({ needsConfirmation: true }, null, 'offline')],
    ['sending', view({ state: 'sending' })],
    ['answering', view({ state: 'sending' }, { ...done, state: 'answering' })],
    ['answered', view({ state: 'settled' }, done)],
    ['stopped', view({ state: 'settled' }, { ...done, state: 'cancelled' })],
    ['failed', view({ state: 'settled' }, { ...done, state: 'failed' })],
    ['failed', view({ state: 'failed' })],
    ['cancelled', view({ state: 'cancelled' })]
  ])('says %s', (word, shown) => expect(shown?.word).toBe(word))

  it('has nothing to say about messages without delivery', () => {
    expect(deliveryView(null, { answer: null, link: 'online', time: String })).toBeNull()
  })
  it('explains why a question waits, and when it is tried again', () => {
    expect(view({}, null, 'offline')?.detail).toMatch(/in order when the link is back/)
    expect(view({ attempts: 1, nextAttemptAt: 5 })?.detail).toContain('t5')
    expect(view({ state: 'failed', error: { code: 'refused', message: 'The provider refused it.' } })?.detail).toBe('The provider refused it.')
  })
  it('offers to send now only what waits and can be sent', () => {
    expect(view({})?.canSendNow).toBe(true)
    expect(view({}, null, 'offline')?.canSendNow).toBe(false)
    expect(view({ needsConfirmation: true }, null, 'offline')?.canSendNow).toBe(true)
    expect(view({ state: 'settled' }, done)?.canSendNow).toBe(false)
  })
  it('names the kinds of failure apart', () => {
    const labels = (['refused', 'budget_exhausted', 'rate_limited', 'invalid_request', 'internal'] as const).map(
      (code) => view({ state: 'failed', error: { code, message: 'Why.' } })?.label
    )
    expect(new Set(labels).size).toBe(5)
    expect(view({ error: { code: 'rate_limited', message: 'Too many at once.' }, attempts: 1, nextAttemptAt: 7 })?.detail).toBe(
      'Too many at once. Next attempt at t7.'
    )
  })
  it('does not offer to send now what goes after another question, and says so', () => {
    const behind = deliveryView(base, { answer: null, link: 'online', isBehind: true, time: String })
    expect(behind).toMatchObject({ canSendNow: false, canEdit: true, canCancel: true, detail: expect.stringContaining('after the question') })
  })
  it('offers to send again what failed, unless the same words would fail again', () => {
    expect(view({ state: 'failed', error: { code: 'refused', message: '' } })?.canSendAgain).toBe(true)
    expect(view({ state: 'failed', error: { code: 'context_too_large', message: '' } })).toMatchObject({ canSendAgain: false, canEdit: true })
    expect(view({ state: 'settled' }, done)?.canSendAgain).toBe(false)
  })
  it('offers to edit what was not sent or failed, to cancel what waits, to ask again what has ended', () => {
    expect([view({})?.canEdit, view({ state: 'failed' })?.canEdit, view({ state: 'settled' }, done)?.canEdit]).toEqual([true, true, false])
    expect([view({})?.canCancel, view({ state: 'sending' })?.canCancel, view({ state: 'failed' })?.canCancel]).toEqual([true, false, true])
    expect([view({})?.canAskAgain, view({ state: 'settled' }, done)?.canAskAgain]).toEqual([false, true])
  })
})
