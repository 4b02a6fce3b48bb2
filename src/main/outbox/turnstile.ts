// One at a time for each turn: what the person decides about a question and what the pump does with it never interleave.

export interface Turnstile {
  /** Runs `work` when everything that was asked for under this key before has ended; passes its outcome on. */
  alone<T>(key: string, work: () => Promise<T>): Promise<T>
}

export function createTurnstile(): Turnstile {
  const tails = new Map<string, Promise<unknown>>()
  return {
    async alone(key, work) {
      const before = tails.get(key) ?? Promise.resolve()
      const mine = before.then(work, work)
      tails.set(key, mine)
      try {
        return await mine
      } finally {
        if (tails.get(key) === mine) tails.delete(key)
      }
    }
  }
}
