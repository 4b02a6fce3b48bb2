// A child process that takes orders and answers in messages, as npm run load has two of.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { GeneratorAnswer, GeneratorOrder } from './generator.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

export interface Child<Order, Answer> extends AsyncDisposable {
  readonly process: ChildProcess
  send(order: Order): void
  /** The next message that it sends. */
  next(): Promise<Answer>
}

/** A file of this folder. */
export function startChild<Order extends object, Answer>(file: string, args: readonly string[] = []): Child<Order, Answer> {
  const child = fork(`${folder}${file}`, args)
  // Several can come within one tick; none is missed.
  const waiting: Answer[] = []
  let wake: (() => void) | null = null
  child.on('message', (message) => {
    waiting.push(message as Answer)
    wake?.()
  })
  let code: number | null = null
  child.once('exit', (exitCode) => {
    code = exitCode ?? -1
    wake?.()
  })
  return {
    process: child,
    send: (order) => void child.send(order),
    async next() {
      while (waiting.length === 0) {
        if (code !== null) throw new Error(`${file} ended with ${code}`)
        await new Promise<void>((resolve) => (wake = resolve))
      }
      return waiting.shift() as Answer
    },
    async [Symbol.asyncDispose]() {
      if (code !== null) return
      const gone = once(child, 'exit')
      child.disconnect()
      await gone
    }
  }
}

export type Generator = Child<GeneratorOrder, GeneratorAnswer>

/** The next answer, which must be of that type. */
export async function told<T extends GeneratorAnswer['type']>(generator: Generator, type: T): Promise<GeneratorAnswer & { type: T }> {
  const answer = await generator.next()
  if (answer.type === 'failed') throw new Error(`the clients failed: ${answer.message}`)
  if (answer.type !== type) throw new Error(`the clients say ${answer.type} instead of ${type}`)
  return answer as GeneratorAnswer & { type: T }
}
