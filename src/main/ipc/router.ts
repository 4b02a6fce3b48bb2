// Station 4 on the way of a question: one door for every call from a window. Parses, runs the handler, and turns
// whatever is thrown into an envelope, because Electron's IPC carries only an error's message.
import { z } from 'zod'
import { bridge, type BridgeMethod, type BridgeOutput, type BridgeParsed, type Envelope } from '../../shared/bridge.ts'
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import type { Log } from '../log.ts'

export type BridgeHandlers = { readonly [M in BridgeMethod]: (input: BridgeParsed<M>) => Promise<BridgeOutput<M>> | BridgeOutput<M> }

export interface Router {
  /** Never rejects. The caller has checked that the sender is one of our own pages. */
  call(method: unknown, input: unknown): Promise<Envelope>
}

const isMethod = (method: unknown): method is BridgeMethod => typeof method === 'string' && Object.hasOwn(bridge, method)

export function createRouter(handlers: BridgeHandlers, log: Log): Router {
  async function run<M extends BridgeMethod>(method: M, input: unknown): Promise<BridgeOutput<M>> {
    const parsed = bridge[method].input.safeParse(input)
    if (!parsed.success) {
      throw new CopilotError('invalid_request', `This can't be done: ${z.prettifyError(parsed.error)}`, { details: { method } })
    }
    const handler = handlers[method] as (input: BridgeParsed<M>) => Promise<BridgeOutput<M>> | BridgeOutput<M>
    return await handler(parsed.data as BridgeParsed<M>)
  }
  return {
    async call(method, input) {
      try {
        if (!isMethod(method)) throw new CopilotError('not_found', 'Aside does not know this request.')
        return { ok: true, value: await run(method, input) }
      } catch (error) {
        const failure = toCopilotError(error)
        if (failure.code === 'internal') log.error('ipc.bug', { method: String(method), error })
        return { ok: false, error: failure.toWire() }
      }
    }
  }
}
