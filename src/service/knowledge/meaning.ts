// How near passages are to a question in meaning, where their words differ: the port between the knowledge base and a model.

export interface Meaning {
  /**
   * Cosine by passage id (as shelves name them), of the nearest on these shelves. Null where words have to do: the model is not ready, or
   * too slow this time, or does not know the language. Never makes a question wait for longer than it may, and never rejects
   * but when the signal aborts.
   */
  nearest(question: string, shelves: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<string, number> | null>
}
