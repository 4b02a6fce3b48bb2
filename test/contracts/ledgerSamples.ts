// A reservation and a settlement for tests; every field can be given.
import type { Reservation, Settlement } from '../../src/service/cost/ledger.ts'

export const now = Date.parse('2026-11-21T12:00:00Z')
export const aReservation = (attemptId: string, part: Partial<Reservation> = {}): Reservation => ({
  attemptId,
  turnId: `turn of ${attemptId}`,
  userId: 'anna',
  organisation: 'north',
  client: 'Harbor',
  provider: 'openai',
  model: 'm-1',
  at: now,
  predictedMicros: 100,
  predictedInputTokens: 10,
  ...part
})
export const aSettlement = (attemptId: string, part: Partial<Settlement> = {}): Settlement => ({
  attemptId,
  at: now + 1,
  outcome: 'answered',
  inputTokens: 9,
  outputTokens: 3,
  cachedTokens: 1,
  costMicros: 70,
  estimated: false,
  priced: true,
  ...part
})
