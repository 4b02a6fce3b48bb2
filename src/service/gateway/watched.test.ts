import { describe, expect, it } from 'vitest'
import { watched, type Ending } from './watched.ts'

interface Notes {
  readonly seen: number[]
  readonly endings: Ending[]
  readonly events: AsyncIterable<number>
  isSourceOver: boolean
}

function noted(source: () => AsyncIterable<number>, beforeEnd: () => Promise<void> = async () => undefined): Notes {
  const notes: Notes = { seen: [], endings: [], isSourceOver: false, events: { [Symbol.asyncIterator]: () => watching[Symbol.asyncIterator]() } }
  async function* inner(): AsyncGenerator<number> {
    try {
      yield* source()
    } finally {
      notes.isSourceOver = true
    }
  }
  const watching = watched(inner(), {
    seen: (value) => void notes.seen.push(value),
    async ended(ending) {
      await beforeEnd()
      notes.endings.push(ending)
    }
  })
  return notes
}

async function* upTo(count: number): AsyncGenerator<number> {
  for (let value = 1; value <= count; value += 1) yield value
}

async function* failing(error: Error): AsyncGenerator<number> {
  yield 1
  throw error
}

describe('events that are watched', () => {
  it('arrive as they are, and the end is told once', async () => {
    const notes = noted(() => upTo(3))
    expect(await Array.fromAsync(notes.events)).toEqual([1, 2, 3])
    expect(notes).toMatchObject({ seen: [1, 2, 3], endings: [{ how: 'through' }], isSourceOver: true })
  })

  it('end with the source when the listener stops', async () => {
    const notes = noted(() => upTo(3))
    for await (const value of notes.events) if (value === 2) break
    expect(notes).toMatchObject({ seen: [1, 2], endings: [{ how: 'left' }], isSourceOver: true })
  })

  it('fail as their source does, after the end was dealt with', async () => {
    const order: string[] = []
    const error = new Error('broken')
    const notes = noted(
      () => failing(error),
      async () => {
        await new Promise((resolve) => setImmediate(resolve))
        order.push('dealt with')
      }
    )
    await expect(Array.fromAsync(notes.events).finally(() => order.push('heard'))).rejects.toBe(error)
    expect(order).toEqual(['dealt with', 'heard'])
    expect(notes.endings).toEqual([{ how: 'failed', error }])
  })
})
