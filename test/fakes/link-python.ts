// Starts a foreign peer of test/peers as a process of its own and waits for the line with its port.
import { PYTHON } from '../../tools/run/python.ts'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface PythonPeer {
  readonly port: number
  stop(): Promise<void>
}

const peers = fileURLToPath(new URL('../peers/', import.meta.url))

/** @throws when Python or a module is missing: one line that says what to install. */
export async function startPythonPeer(script: string, args: readonly string[] = []): Promise<PythonPeer> {
  // -B: leaves no compiled files beside the sources. The standard input ends with us, and the peer with it.
  const child = spawn(PYTHON, ['-B', `${peers}${script}`, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  const failed = once(child, 'error').then(([error]: unknown[]) => `can't start ${PYTHON} (${String(error)}): apt-get install python3`)
  const ended = once(child, 'exit').then(() => complaint.trim() || 'it ended without a word')
  const first = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), failed, ended])
  const port = Array.isArray(first) ? Number(first[0]) : Number.NaN
  if (!Number.isInteger(port)) throw new Error(`${script}: ${String(first)}`)
  return {
    port,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill()
      await ended
    }
  }
}
