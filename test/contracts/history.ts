// The contract of the history port: every adapter and every fake keeps it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { History } from '../../src/main/history/history.ts'
import { handClock, newSession, type HandClock } from '../fakes/historySamples.ts'
import { answersContract } from './historyAnswers.ts'
import { bulkContract } from './historyBulk.ts'
import { historyHarness } from './historyHarness.ts'
import { keepingContract } from './historyKeeping.ts'
import { questionsContract } from './historyQuestions.ts'
import { readingContract } from './historyReading.ts'
import { sessionsContract } from './historySessions.ts'

export interface HistoryUnderTest {
  readonly history: History
  close(): Promise<void>
}

/** `open` makes an empty history that goes by the clock it is given. */
export function historyContract(name: string, open: (clock: HandClock) => Promise<HistoryUnderTest>): void {
  describe(`history: ${name}`, () => {
    let clock: HandClock
    let under: HistoryUnderTest

    beforeEach(async () => {
      clock = handClock()
      under = await open(clock)
      await under.history.createSession(newSession('s1'))
    })
    afterEach(() => under.close())

    const harness = historyHarness(() => ({ history: under.history, clock }))
    sessionsContract(harness)
    questionsContract(harness)
    answersContract(harness)
    readingContract(harness)
    keepingContract(harness)
    bulkContract(harness, open)

    it('refuses calls after it was closed', async () => {
      await under.history.close()
      await expect(under.history.session('s1')).rejects.toMatchObject({ code: 'unavailable' })
    })
  })
}
