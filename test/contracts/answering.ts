// What every count of the answers under way must do.
import { expect, it } from 'vitest'
import type { Answering } from '../../src/service/limits/answering.ts'

export interface AnsweringUnderTest extends AsyncDisposable {
  readonly answering: Answering
}

export function answeringContract(make: () => Promise<AnsweringUnderTest>): void {
  it('lets no more be under way than the limit, however many ask at once', async () => {
    await using under = await make()
    const all = await Promise.all(Array.from({ length: 12 }, () => under.answering.begin('anna', 5)))
    expect(all.filter((end) => end !== null)).toHaveLength(5)
    expect(await under.answering.begin('bob', 1)).not.toBeNull()
  })

  it('frees a place once, however often that is said', async () => {
    await using under = await make()
    const first = await under.answering.begin('anna', 2)
    expect(await under.answering.begin('anna', 2)).not.toBeNull()
    first?.()
    first?.()
    expect(await under.answering.begin('anna', 2)).not.toBeNull()
    expect(await under.answering.begin('anna', 2)).toBeNull()
  })
}
