// What makes writes of several ports one. The end of a turn is what it cost, what was said and its last events: all are in the books,
// or the turn has no end. Given only to ports that are kept by one store (docs/adr/0054).

export interface Bond {
  /** What one of the writes has failed with; from then on none of the others is made. Null: none has. */
  readonly failure: { readonly error: unknown } | null
  /** The first failure stays. */
  fail(error: unknown): void
}

export function createBond(): Bond {
  let failure: Bond['failure'] = null
  return {
    get failure() {
      return failure
    },
    fail(error) {
      failure ??= { error }
    }
  }
}
