// The embedded service as a plain child process: for tests and hosts outside Electron.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { ServiceDoors, ServiceHost, ServiceProcess } from './host.ts'

const readySchema = z.object({ ready: z.literal(true), grpc: z.string(), http: z.string() })

/** `command` starts the service, which prints one JSON line on standard output when it is ready. */
export function createChildServiceHost(command: readonly [string, ...string[]]): ServiceHost {
  return {
    start(env): ServiceProcess {
      const [program, ...args] = command
      const child = spawn(program, args, { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
      let lastWords = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        lastWords = (lastWords + text).slice(-2_000)
      })
      const exited = new Promise<void>((resolve) => {
        child.once('close', () => resolve())
        child.once('error', () => resolve())
      })
      const ready = new Promise<ServiceDoors>((resolve, reject) => {
        createInterface({ input: child.stdout }).once('line', (line) => {
          const parsed = readySchema.safeParse(parseJson(line))
          if (parsed.success) resolve({ grpc: parsed.data.grpc, http: parsed.data.http })
        })
        child.once('error', (error) => reject(new CopilotError('unavailable', 'The service could not be started.', { cause: error })))
        void exited.then(() => reject(new CopilotError('unavailable', lastWords.trim() || 'The service ended before it was ready.')))
      })
      ready.catch(() => undefined)
      return {
        ready,
        exited,
        async stop(graceMs) {
          child.kill('SIGTERM')
          const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
          await exited
          clearTimeout(timer)
        }
      }
    }
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
