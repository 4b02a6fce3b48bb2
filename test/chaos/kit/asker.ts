// The part of a window: makes the turn id, and asks with it again and again until it hears that the question is accepted.
// One question of a session at a time, like a person; sessions side by side.
import { v7 as newId } from 'uuid'
import type { AskedQuestion } from './checks.ts'
import type { FromCore, ToCore } from './coreTalk.ts'

export interface Asker {
  /** Puts a question into its session's line. */
  ask(sessionId: string, text: string): void
  /** From now on this is the core to ask; what the last one did not accept is asked again. */
  meet(say: (message: ToCore) => void): void
  /** The core is gone. */
  lose(): void
  hear(message: FromCore): void
  /** In the order in which they were accepted. */
  readonly accepted: readonly AskedQuestion[]
  /** Questions that are not accepted yet. */
  readonly open: number
  /** What the core refused to take: no run asks anything that may be refused. */
  readonly refused: readonly string[]
  /** Resolves when everything is accepted. */
  allAccepted(): Promise<void>
}

export function createAsker(): Asker {
  const lines = new Map<string, AskedQuestion[]>()
  const accepted: AskedQuestion[] = []
  const refused: string[] = []
  let say: ((message: ToCore) => void) | null = null
  let whenEmpty: (() => void)[] = []

  const askHead = (line: readonly AskedQuestion[]): void => {
    const head = line[0]
    if (head !== undefined) say?.({ kind: 'ask', ...head })
  }
  const open = (): number => [...lines.values()].reduce((sum, line) => sum + line.length, 0)
  function lineOf(turnId: string): AskedQuestion[] | null {
    return [...lines.values()].find((line) => line[0]?.turnId === turnId) ?? null
  }
  /** An answer to an earlier attempt may come late: only the head of a line counts, and only once. */
  function leave(turnId: string, into: (question: AskedQuestion) => void): void {
    const line = lineOf(turnId)
    const head = line?.shift()
    if (line === null || head === undefined) return
    into(head)
    askHead(line)
    if (open() > 0) return
    for (const resolve of whenEmpty) resolve()
    whenEmpty = []
  }

  return {
    ask(sessionId, text) {
      const line = lines.get(sessionId) ?? []
      lines.set(sessionId, line)
      line.push({ turnId: newId(), sessionId, text })
      if (line.length === 1) askHead(line)
    },
    meet(next) {
      say = next
      for (const line of lines.values()) askHead(line)
    },
    lose: () => void (say = null),
    hear(message) {
      if (message.kind === 'accepted') leave(message.turnId, (question) => accepted.push(question))
      if (message.kind === 'refused') {
        // A history that is just closing or full says so and is asked again; anything else is the run's own fault.
        const { code } = message.error
        if (code === 'unavailable' || code === 'offline' || code === 'internal') setTimeout(() => askHead(lineOf(message.turnId) ?? []), 50)
        else leave(message.turnId, ({ text }) => refused.push(`${code}: ${message.error.message} (“${text}”)`))
      }
    },
    accepted,
    refused,
    get open() {
      return open()
    },
    allAccepted: () => (open() === 0 ? Promise.resolve() : new Promise((resolve) => whenEmpty.push(resolve)))
  }
}
