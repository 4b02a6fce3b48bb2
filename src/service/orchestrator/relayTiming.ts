// How long the relay waits for whom: the durations behind its decisions.
export interface RelayTiming {
  /** A model that has said nothing new for this long gets company, ms. It is not stopped: whoever speaks first goes on. */
  readonly patienceMs: number
  /** How often company is looked for while there is none, ms. */
  readonly lookAgainMs: number
  /** From the first failure: how long the same model may still be tried again before another kind of answer is given, ms. */
  readonly retryBudgetMs: number
  readonly retryBaseMs: number
  readonly retryCapMs: number
  /** How long half an answer waits for anybody to go on, ms. */
  readonly lastResortMs: number
  /** Attempts at the same model. */
  readonly attemptsPerModel: number
}

export const relayTiming: RelayTiming = {
  patienceMs: 1_200,
  lookAgainMs: 250,
  lastResortMs: 10_000,
  retryBudgetMs: 1_200,
  retryBaseMs: 200,
  retryCapMs: 600,
  attemptsPerModel: 2
}
