// What the conformance run keeps: every conversation with its named steps, and which of them did not hold.

export interface Report {
  /** Runs one named step; a check that throws is a failure of that step and ends neither the conversation nor the run. */
  step(conversation: string, name: string, check: () => Promise<void> | void): Promise<void>
}

export interface Failure {
  readonly conversation: string
  readonly step: string
  readonly error: string
}

export interface Outcome {
  /** True only when at least one step ran and none failed. */
  readonly ok: boolean
  readonly conversations: number
  readonly steps: number
  readonly failed: readonly Failure[]
}

export interface KeptReport extends Report {
  outcome(): Outcome
  /** `conversation: step` of those that held. */
  readonly held: readonly string[]
}

export interface ReportOptions {
  /** One line for each step as it ends, for people. */
  readonly say: (line: string) => void
  /** A step that takes longer has failed. */
  readonly stepMs?: number
}

const STEP_MS = 60_000

export function createReport({ say, stepMs = STEP_MS }: ReportOptions): KeptReport {
  const conversations = new Set<string>()
  const failed: Failure[] = []
  const held: string[] = []
  let steps = 0
  return {
    async step(conversation, name, check) {
      conversations.add(conversation)
      steps += 1
      const startedAt = performance.now()
      try {
        await within(stepMs, check)
        held.push(`${conversation}: ${name}`)
        say(`ok      ${conversation}: ${name} (${Math.round(performance.now() - startedAt)} ms)`)
      } catch (error) {
        const words = error instanceof Error ? error.message : String(error)
        failed.push({ conversation, step: name, error: words })
        say(`FAILED  ${conversation}: ${name}\n        ${words.replaceAll('\n', '\n        ')}`)
      }
    },
    held,
    outcome: () => ({ ok: steps > 0 && failed.length === 0, conversations: conversations.size, steps, failed })
  }
}

async function within(ms: number, check: () => Promise<void> | void): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${ms} ms`)), ms)
  })
  try {
    await Promise.race([check(), late])
  } finally {
    clearTimeout(timer)
  }
}
