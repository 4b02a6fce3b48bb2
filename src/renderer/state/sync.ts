// The one writer of the mirror: snapshot first, then numbered pushes, a snapshot again after a gap.
import type { Delta, Push, Snapshot } from '../../shared/bridge.ts'
import { toCopilotError, type CopilotError } from '../../shared/errors.ts'
import { backoffMs } from '../../shared/kit/backoff.ts'
import type { Random } from '../../shared/kit/clock.ts'
import type { BridgeClient } from '../bridge.ts'
import type { FrameScheduler } from './frame.ts'
import { applyPush, fromSnapshot, type Mirror } from './mirror.ts'

export type Command = Extract<Delta, { slice: 'command' }>

export interface SyncDependencies {
  readonly bridge: BridgeClient
  readonly frames: FrameScheduler
  readonly random: Random
  /** The mirror as it is shown. */
  readonly read: () => Mirror | null
  readonly write: (mirror: Mirror) => void
  /** A snapshot is shown now. `replaced`: of another history than what was shown before. */
  readonly onSnapshot: (snapshot: Snapshot, replaced: boolean) => void
  /** The snapshot could not be had; `sync` goes on trying. */
  readonly onFailure: (error: CopilotError) => void
  readonly onCommand: (command: Command) => void
  /** Called after each write in which a transcript lost events. */
  readonly onTorn: (sessionIds: readonly string[]) => void
}

export interface Sync {
  start(): void
  /** Asks for a snapshot at once, for a person who pressed "try again". */
  retry(): void
  stop(): void
}

export function createSync({ bridge, frames, random, read, write, onSnapshot, onFailure, onCommand, onTorn }: SyncDependencies): Sync {
  let queue: Push[] = []
  let snapshotCall: AbortController | null = null
  let attempts = 0
  let retryTimer: ReturnType<typeof setTimeout> | null = null
  let cancelFrame: (() => void) | null = null
  let endSubscription: (() => void) | null = null

  function receive(push: Push | null): void {
    if (push === null) {
      resync()
      return
    }
    queue.push(push)
    if (snapshotCall === null) cancelFrame ??= frames.request(flush)
  }

  function flush(): void {
    cancelFrame = null
    let mirror = read()
    if (mirror === null || snapshotCall !== null) return
    const commands: Command[] = []
    while (queue.length > 0) {
      const push = queue[0]
      if (push === undefined) break
      const next = applyPush(mirror, push)
      if (next === null) {
        write(mirror)
        run(commands)
        resync()
        return
      }
      if (next !== mirror) for (const delta of push.deltas) if (delta.slice === 'command') commands.push(delta)
      mirror = next
      queue.shift()
      if (mirror.stale) {
        write(mirror)
        run(commands)
        resync()
        return
      }
    }
    write(mirror)
    run(commands)
    if (mirror.torn.length > 0) onTorn(mirror.torn)
  }

  function run(commands: readonly Command[]): void {
    for (const command of commands) onCommand(command)
  }

  function resync(): void {
    if (snapshotCall !== null) return
    if (retryTimer !== null) clearTimeout(retryTimer)
    retryTimer = null
    const call = new AbortController()
    snapshotCall = call
    // What a replaced history pushed before its snapshot belongs to the snapshot.
    cancelFrame?.()
    cancelFrame = null
    bridge.call('snapshot', null, { signal: call.signal }).then(
      (snapshot) => {
        snapshotCall = null
        attempts = 0
        // A push beyond a gap may be older than this snapshot, or follow it: flush decides by number.
        queue = queue.filter((push) => push.seq > snapshot.seq)
        const old = read()
        write(fromSnapshot(snapshot, old))
        onSnapshot(snapshot, old?.stale === true)
        return flush()
      },
      (error: unknown) => {
        snapshotCall = null
        if (call.signal.aborted) return
        attempts += 1
        onFailure(toCopilotError(error))
        retryTimer = setTimeout(resync, 250 + backoffMs(attempts, random, { baseMs: 500, capMs: 10_000 }))
      }
    )
  }

  return {
    start: () => {
      endSubscription ??= bridge.onPush(receive)
      resync()
    },
    retry: resync,
    stop: () => {
      endSubscription?.()
      endSubscription = null
      snapshotCall?.abort()
      cancelFrame?.()
      if (retryTimer !== null) clearTimeout(retryTimer)
      queue = []
    }
  }
}
