// One request to an upstream and the bytes of its answer, by undici's own callbacks: a stream of an answer's pieces through
// Node's streams costs as much as everything else that is done with it.
import type { Dispatcher } from 'undici'

export interface Exchange {
  /** Once `more` has resolved for the first time. */
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  /** True: bytes came since the last time. False: the answer has ended. Waits `withinMs` for more to come, but never for the end. Throws what broke it off. */
  more(withinMs: number): Promise<boolean>
  /** Closes the connection, unless the answer has ended; `more` throws `why`. */
  hangUp(why?: Error): void
}

export interface ExchangeOptions {
  /** Hangs up; `more` throws its reason. */
  readonly signal: AbortSignal
  /** Called with all that came in one tick; what it throws breaks the exchange off. `isLast`: the answer has ended with it. */
  readonly onBytes: (bytes: Uint8Array, status: number, isLast: boolean) => void
}

const HUNG_UP = new Error('nobody reads this answer any more')

/** The caller hangs up when it reads no further. */
export function exchange(dispatcher: Dispatcher, request: Dispatcher.DispatchOptions, { signal, onBytes }: ExchangeOptions): Exchange {
  let status = 0
  let headers: Dispatcher.ResponseData['headers'] = {}
  let controller: Dispatcher.DispatchController | null = null
  let over: { readonly error: unknown } | 'ended' | null = null
  let arrived: Uint8Array[] = []
  let isFresh = false
  let waiting: { readonly until: number; readonly go: () => void } | null = null
  let timer: NodeJS.Timeout | null = null

  const wake = (): void => {
    const { go } = waiting ?? {}
    waiting = null
    if (timer !== null) clearTimeout(timer)
    timer = null
    go?.()
  }
  const end = (how: NonNullable<typeof over>): void => {
    if (over !== null) return
    over = how
    signal.removeEventListener('abort', leave)
    wake()
  }
  const breakOff = (error: unknown): void => {
    if (over !== null) return
    end({ error })
    controller?.abort(error instanceof Error ? error : HUNG_UP)
  }
  const leave = (): void => breakOff(signal.reason)
  const read = (isLast: boolean): void => {
    if (over !== null || arrived.length === 0) return
    const [first] = arrived
    const bytes = first !== undefined && arrived.length === 1 ? first : Buffer.concat(arrived)
    arrived = []
    try {
      onBytes(bytes, status, isLast)
      isFresh = true
    } catch (error) {
      breakOff(error)
    }
  }
  const tell = (): void => {
    read(false)
    if (!isFresh || waiting === null || timer !== null) return
    const leftMs = waiting.until - performance.now()
    if (leftMs <= 0) wake()
    else timer = setTimeout(wake, leftMs)
  }

  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  else
    dispatcher.dispatch(request, {
      onRequestStart(started) {
        controller = started
        // It waited for a connection, and nobody waits for it any more.
        if (over !== null) started.abort(HUNG_UP)
      },
      onResponseStart(_controller, code, fields) {
        status = code
        headers = fields
      },
      onResponseData(_controller, bytes) {
        arrived.push(bytes)
        // One segment of a busy line holds many chunks of an answer: they are read together, when all of them are cut out.
        if (arrived.length === 1) queueMicrotask(tell)
      },
      onResponseEnd() {
        read(true)
        end('ended')
      },
      onResponseError(_controller, error) {
        read(false)
        end({ error })
      }
    })

  return {
    get status() {
      return status
    },
    get headers() {
      return headers
    },
    async more(withinMs) {
      if (over === null && !(isFresh && withinMs <= 0)) {
        const until = performance.now() + withinMs
        await new Promise<void>((go) => {
          waiting = { until, go }
          if (isFresh) timer = setTimeout(wake, withinMs)
        })
      }
      isFresh = false
      if (over === null) return true
      if (over === 'ended') return false
      throw over.error
    },
    hangUp: (why = HUNG_UP) => breakOff(why)
  }
}
