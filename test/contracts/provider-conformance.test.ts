// The providers' half of the conformance run, as it stands: every step holds, and a step that does not hold is told.
import { describe, expect, it } from 'vitest'
import { createReport } from '../conformance/report.ts'
import { providerConformance } from '../conformance/providers.ts'

describe('the conformance of providers', () => {
  it('holds in every step', { timeout: 60_000 }, async () => {
    const report = createReport({ say: () => undefined })
    await providerConformance(report)
    const outcome = report.outcome()
    expect(outcome.failed).toEqual([])
    expect(outcome.steps).toBeGreaterThanOrEqual(55)
  })
})
