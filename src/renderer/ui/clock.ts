// The time, once a minute: lists say "Today" and mean it after midnight too.
import { useSyncExternalStore } from 'react'

const MINUTE_MS = 60_000

let now = Date.now()
let timer: ReturnType<typeof setInterval> | null = null
const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  now = Date.now()
  timer ??= setInterval(() => {
    now = Date.now()
    for (const each of listeners) each()
  }, MINUTE_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0 || timer === null) return
    clearInterval(timer)
    timer = null
  }
}

/** Unix ms, at most a minute old. Runs only while something shows it. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}
