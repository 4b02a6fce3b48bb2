// Events on their way through a room that only looks at them as they pass. A generator between two others would cost each event
// several turns of the microtask queue; this costs one.

/** How listening ended: the source had no more, it failed, or whoever listened has stopped. */
export type Ending = { readonly how: 'through' } | { readonly how: 'failed'; readonly error: unknown } | { readonly how: 'left' }

export interface Watcher<T> {
  seen(value: T): void
  /** Once; what it returns is awaited before the listener hears of the end, and what it throws is heard instead. */
  ended(ending: Ending): void | Promise<void>
}

/** The same values in the same order; errors of the source are thrown on as they are. */
export function watched<T>(source: AsyncIterable<T>, { seen, ended }: Watcher<T>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const inner = source[Symbol.asyncIterator]()
      let isOver = false
      const end = async (ending: Ending): Promise<void> => {
        if (isOver) return
        isOver = true
        await ended(ending)
      }
      const pass = (result: IteratorResult<T>): IteratorResult<T> | Promise<IteratorResult<T>> => {
        if (result.done === true) return end({ how: 'through' }).then(() => result)
        seen(result.value)
        return result
      }
      const fail = async (error: unknown): Promise<never> => {
        await end({ how: 'failed', error })
        throw error
      }
      return {
        next: () => inner.next().then(pass, fail),
        async return(value?: unknown) {
          try {
            await inner.return?.(value)
          } finally {
            await end({ how: 'left' })
          }
          return { done: true, value: undefined }
        }
      }
    }
  }
}
