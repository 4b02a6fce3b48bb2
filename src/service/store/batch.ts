// What is asked within one tick, or while the step before is on its way, is done in one step: a round trip and a flush of the disk for all.
import { setImmediate as nextTick } from 'node:timers/promises'
import { CopilotError } from '../../shared/errors.ts'

export interface Batch<Item, Result> {
  /** Rejects with what its step failed with; a step that failed by a bug is done again one by one, so that only the one at fault fails. */
  add(item: Item): Promise<Result>
  /** Resolves when nothing waits. */
  idle(): Promise<void>
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** `run` gives a result for each item, in their order, or does nothing of it. */
export function createBatch<Item, Result>(run: (items: readonly Item[]) => Promise<readonly Result[]>, most: number): Batch<Item, Result> {
  let waiting: Waiting<Item, Result>[] = []
  let working: Promise<void> | null = null

  const step = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await run(batch.map(({ item }) => item))
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index]
        if (index < results.length) resolve(result as Result)
        else reject(new Error('a step gave too few results'))
      }
    } catch (error) {
      if (batch.length === 1 || error instanceof CopilotError) for (const { reject } of batch) reject(error)
      else for (const one of batch) await step([one])
    }
  }
  const work = async (): Promise<void> => {
    await nextTick()
    while (waiting.length > 0) {
      const batch = waiting.slice(0, most)
      waiting = waiting.slice(most)
      await step(batch)
    }
  }
  const begin = (): void => {
    working ??= work().finally(() => {
      working = null
      if (waiting.length > 0) begin()
    })
  }
  const idle = async (): Promise<void> => {
    if (working !== null) await working.then(idle)
  }
  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        begin()
      }),
    idle
  }
}
