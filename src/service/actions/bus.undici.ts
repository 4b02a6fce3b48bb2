// The bus within this process: every action is an HTTP POST to its allowed target, with its id as idempotency key. A name that
// resolves into the own network is refused when the connection is made, not before, so that no second answer of the DNS gets past.
import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { Agent, errors, request, type Dispatcher } from 'undici'
import { CopilotError } from '../../shared/errors.ts'
import type { ActionBus } from './bus.ts'
import type { KeptAction } from './outbox.ts'
import { allowedTarget, isPrivateAddress, type Targets } from './targets.ts'

export interface HttpBusOptions {
  readonly targets: Targets
  readonly timeoutMs: number
  /** For tests: who answers names. */
  readonly lookup?: Lookup
}

type Lookup = (host: string, options: { all: true }, callback: (error: Error | null, addresses: LookupAddress[]) => void) => void

/** The caller stops it. */
export function createHttpBus({ targets, timeoutMs, lookup = systemLookup }: HttpBusOptions): ActionBus {
  const common = { connections: 4, headersTimeout: timeoutMs, bodyTimeout: timeoutMs }
  const anywhere = new Agent({ ...common, connect: { timeout: timeoutMs } })
  const publicOnly = new Agent({ ...common, connect: { timeout: timeoutMs, lookup: publicLookup(lookup) } })
  return {
    async deliver(kept, signal) {
      const { url, isPrivateAllowed } = allowedTarget(kept.action, targets)
      const response = await sent(url, kept, { dispatcher: isPrivateAllowed ? anywhere : publicOnly, signal })
      await response.body.dump()
      refuse(response)
    },
    async stop() {
      await Promise.all([anywhere.destroy(), publicOnly.destroy()])
    }
  }
}

class PrivateAddress extends Error {}

type ConnectLookup = (
  host: string,
  options: { all?: boolean | undefined },
  callback: (error: Error | null, address: string | LookupAddress[], family?: number) => void
) => void

function publicLookup(lookup: Lookup): ConnectLookup {
  return (host, { all }, callback) =>
    lookup(host, { all: true }, (error, addresses) => {
      const [first] = addresses ?? []
      if (error !== null || first === undefined) return callback(error ?? new Error('no address'), [])
      if (addresses.some(({ address }) => isPrivateAddress(address))) return callback(new PrivateAddress(), [])
      return all === true ? callback(null, addresses) : callback(null, first.address, first.family)
    })
}

async function sent(
  url: URL,
  { action, inputId, businessId }: KeptAction,
  { dispatcher, signal }: { dispatcher: Dispatcher; signal: AbortSignal }
): Promise<Dispatcher.ResponseData> {
  const { id, type, target, payload, priority } = action
  const content = { id, type, target: type === 'external_call' ? undefined : target, payload, priority, inputId, businessId }
  const headers = { 'content-type': 'application/json', 'idempotency-key': id }
  try {
    return await request(url, { method: 'POST', headers, body: JSON.stringify(content), dispatcher, signal })
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof PrivateAddress) throw new CopilotError('forbidden', 'The target’s name leads into the own network.', { cause: error })
    const isLate =
      error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError || error instanceof errors.ConnectTimeoutError
    throw new CopilotError(isLate ? 'timeout' : 'unavailable', isLate ? 'The target did not answer in time.' : 'The target can’t be reached.', {
      cause: error
    })
  }
}

function refuse({ statusCode, headers }: Dispatcher.ResponseData): void {
  if (statusCode >= 200 && statusCode < 300) return
  const seconds = Number(headers['retry-after'])
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 86_400) * 1_000 : undefined
  const waits = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (statusCode === 429) throw new CopilotError('rate_limited', 'The target asks to wait.', waits)
  if (statusCode >= 500 || statusCode === 408 || statusCode === 425)
    throw new CopilotError('unavailable', `The target answered ${statusCode}.`, waits)
  throw new CopilotError('invalid_request', `The target refused it (${statusCode}).`)
}
