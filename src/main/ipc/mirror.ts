// What windows see of main's state: numbered deltas, at most one push a frame. The one place that counts them.
import type { Delta, Push } from '../../shared/bridge.ts'

/** One push a frame at 60 Hz. */
const FRAME_MS = 16

export type WindowKind = 'main' | 'overlay'

export interface Mirror {
  /** To every window, or only to those of one kind. */
  publish(delta: Delta, only?: WindowKind): void
  /** Sends what is pending, so that a snapshot taken now starts at the returned number. */
  flush(): number
  /** `send` gets every push from now on; returns the function that ends it. */
  subscribe(kind: WindowKind, send: (push: Push) => void): () => void
  stop(): void
}

interface Pending {
  readonly delta: Delta
  readonly only: WindowKind | undefined
}

/** Joins a delta with those that wait where only the newest state matters, or where events follow on. */
export function mergeDelta(pending: Pending[], delta: Delta, only: WindowKind | undefined): void {
  if (delta.slice === 'turn') {
    const last = pending.at(-1)?.delta
    if (last?.slice === 'turn' && last.messageId === delta.messageId) {
      pending[pending.length - 1] = { delta: { ...last, events: [...last.events, ...delta.events] }, only }
      return
    }
  } else if (delta.slice === 'link' || delta.slice === 'settings' || delta.slice === 'desktop' || delta.slice === 'waiting') {
    const at = pending.findIndex((p) => p.delta.slice === delta.slice)
    if (at >= 0) pending.splice(at, 1)
  }
  pending.push({ delta, only })
}

export function createMirror(): Mirror {
  const listeners = new Map<(push: Push) => void, WindowKind>()
  let pending: Pending[] = []
  let seq = 0
  let timer: NodeJS.Timeout | null = null

  const flush = (): number => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (pending.length > 0) {
      const batch = pending
      pending = []
      seq += 1
      for (const [send, kind] of listeners) {
        send({ seq, deltas: batch.filter((p) => p.only === undefined || p.only === kind).map((p) => p.delta) })
      }
    }
    return seq
  }
  return {
    publish(delta, only) {
      mergeDelta(pending, delta, only)
      timer ??= setTimeout(flush, FRAME_MS)
    },
    flush,
    subscribe(kind, send) {
      flush()
      listeners.set(send, kind)
      return () => listeners.delete(send)
    },
    stop() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      listeners.clear()
    }
  }
}
