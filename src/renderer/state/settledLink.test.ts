// Short trouble stays unseen, long trouble is told, good news comes at once.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { LinkStatus } from '../../shared/domain.ts'
import { createLinkSettler } from './settledLink.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const link = (state: LinkStatus['state'], reason = ''): LinkStatus => ({
  state, transport: state === 'online' ? 'grpc' : null, reason, retryAt: null, since: 0, service: { embedded: true, address: '', version: null, answeredBy: null }
}) // prettier-ignore

function settled() {
  const shown: string[] = []
  const settler = createLinkSettler((one) => shown.push(`${one.state}${one.reason}`))
  return { shown, settler }
}

it('shows the first state at once, whatever it is', () => {
  const { shown, settler } = settled()
  settler.update(link('connecting'))
  expect(shown).toEqual(['connecting'])
})

it('says nothing of an outage that is over within a second', () => {
  const { shown, settler } = settled()
  settler.update(link('online'))
  settler.update(link('offline'))
  vi.advanceTimersByTime(400)
  settler.update(link('connecting'))
  vi.advanceTimersByTime(500)
  settler.update(link('online'))
  vi.advanceTimersByTime(5_000)
  expect(shown).toEqual(['online', 'online'])
})

it('shows an outage that lasts, as it stands by then', () => {
  const { shown, settler } = settled()
  settler.update(link('online'))
  settler.update(link('connecting'))
  settler.update(link('offline', ' refused'))
  vi.advanceTimersByTime(999)
  expect(shown).toEqual(['online'])
  vi.advanceTimersByTime(1)
  expect(shown).toEqual(['online', 'offline refused'])
  settler.update(link('offline', ' unreachable'))
  settler.update(link('online'))
  expect(shown).toEqual(['online', 'offline refused', 'offline unreachable', 'online'])
})

it('is quiet once it was stopped', () => {
  const { shown, settler } = settled()
  settler.update(link('online'))
  settler.update(link('offline'))
  settler.stop()
  vi.advanceTimersByTime(5_000)
  expect(shown).toEqual(['online'])
})
