// Station 2 on the way of a question: the typed side of `window.aside`. Every answer is parsed, every failure is thrown.
import {
  bridge,
  envelopeSchema,
  pushSchema,
  type BridgeInput,
  type BridgeMethod,
  type BridgeOutput,
  type PreloadApi,
  type Push
} from '../shared/bridge.ts'
import { CopilotError, toCopilotError } from '../shared/errors.ts'
import { text } from './text/text.ts'

export interface BridgeClient {
  readonly window: PreloadApi['window']
  /**
   * Throws `CopilotError`: what main answered, or `internal` when its answer does not fit the contract. Aborting the
   * signal drops the answer (`cancelled`); main finishes what it began.
   */
  call<M extends BridgeMethod>(method: M, input: BridgeInput<M>, options?: { readonly signal?: AbortSignal }): Promise<BridgeOutput<M>>
  /** The listener gets null for a push that cannot be read: it must ask for a snapshot. Returns the end of it. */
  onPush(listener: (push: Push | null) => void): () => void
}

declare global {
  interface Window {
    readonly aside: PreloadApi
  }
}

/** The client of a window over what the preload gave it. */
export function createBridge(api: PreloadApi): BridgeClient {
  async function call<M extends BridgeMethod>(
    method: M,
    input: BridgeInput<M>,
    options: { readonly signal?: AbortSignal } = {}
  ): Promise<BridgeOutput<M>> {
    let raw: unknown
    try {
      raw = await api.call(method, input)
    } catch (error) {
      throw new CopilotError('internal', text.errors.noAnswer, { cause: error })
    }
    if (options.signal?.aborted === true) throw toCopilotError(options.signal.reason)
    const envelope = envelopeSchema.safeParse(raw)
    if (!envelope.success) throw new CopilotError('internal', text.errors.unreadable, { cause: envelope.error })
    if (!envelope.data.ok) throw CopilotError.fromWire(envelope.data.error)
    const output = bridge[method].output.safeParse(envelope.data.value)
    if (!output.success) throw new CopilotError('internal', text.errors.unreadable, { cause: output.error })
    return output.data as BridgeOutput<M>
  }

  return {
    window: api.window,
    call,
    onPush: (listener) =>
      api.onPush((raw) => {
        const push = pushSchema.safeParse(raw)
        listener(push.success ? push.data : null)
      })
  }
}
