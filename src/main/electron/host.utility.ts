// The embedded service in an Electron utility process. It posts its doors when it is ready, and one sentence when it
// can't start.
import { utilityProcess } from 'electron'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { ServiceDoors, ServiceHost, ServiceProcess } from '../service/host.ts'

const messageSchema = z.union([
  z.object({ ready: z.literal(true), grpc: z.string(), http: z.string() }),
  z.object({ ready: z.literal(false), message: z.string() })
])
const NEVER_READY = 'The service inside Aside ended before it was ready. Your questions are kept; Aside starts it again.'

export function createUtilityServiceHost(entry: string): ServiceHost {
  return {
    start(env): ServiceProcess {
      const child = utilityProcess.fork(entry, [], { serviceName: 'Aside service', env: { ...env }, stdio: 'inherit' })
      let gone: () => void = () => undefined
      const exited = new Promise<void>((resolve) => {
        gone = resolve
      })
      const ready = new Promise<ServiceDoors>((resolve, reject) => {
        let reason = NEVER_READY
        child.on('message', (raw: unknown) => {
          const parsed = messageSchema.safeParse(raw)
          if (!parsed.success) return
          if (parsed.data.ready) resolve({ grpc: parsed.data.grpc, http: parsed.data.http })
          else reason = parsed.data.message
        })
        child.on('exit', () => {
          reject(new CopilotError('unavailable', reason))
          gone()
        })
      })
      // Whoever waits for it hears of the failure; nobody waiting is no bug.
      ready.catch(() => undefined)
      return {
        ready,
        exited,
        async stop(graceMs) {
          child.postMessage({ type: 'stop' })
          const timer = setTimeout(() => child.kill(), graceMs)
          await exited
          clearTimeout(timer)
        }
      }
    }
  }
}
