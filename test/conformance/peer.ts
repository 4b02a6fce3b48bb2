// A foreign client in a process of its own: it does what it is told, one command and one answer a line.
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { PYTHON } from '../../tools/run/python.ts'

export type Answer = Readonly<Record<string, unknown>>

export interface Peer extends AsyncDisposable {
  readonly process: ChildProcess
  /** Rejects when the client fails in a way of its own, or has ended. */
  ask(command: Readonly<Record<string, unknown>>): Promise<Answer>
}

export function startPeer(script: 'ws_peer.py' | 'socketio_peer.py' | 'grpc_peer.py'): Peer {
  const child = spawn(PYTHON, ['-B', fileURLToPath(new URL(`../peers/${script}`, import.meta.url))], { stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = []
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer
    const next = waiting.shift()
    if (typeof answer['error'] === 'string') next?.reject(new Error(answer['error']))
    else next?.resolve(answer)
  })
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      for (const { reject } of waiting.splice(0)) reject(new Error(`${script} has ended: ${errors.trim()}`))
      resolve()
    })
  })
  // A client that has died is told by `close`; writing to it is no further failure.
  child.stdin.on('error', () => undefined)
  return {
    process: child,
    ask: (command) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        child.stdin.write(`${JSON.stringify(command)}\n`)
      }),
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      child.kill('SIGKILL')
      await closed
    }
  }
}
