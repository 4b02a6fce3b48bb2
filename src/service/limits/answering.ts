// How many answers of a person are under way at once: the port. One process counts in memory; several share a Redis behind the same
// port.

export interface Answering {
  /** Counts one more; the result ends it, twice is once. Null: `limit` are under way already. */
  begin(userId: string, limit: number): Promise<(() => void) | null>
}
