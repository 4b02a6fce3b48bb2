// The window comes first: a thread that reads a history steps back where the main thread wants the processor.
import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { basename } from 'node:path'

/** Like `nice`: five steps are about a third of the usual share when all want to run at once. */
const STEPS_BACK = 5
const LAST = 19

/** Lowers the priority of the calling thread; only Linux gives threads priorities of their own through `setPriority`. */
export function stepBack(platform: NodeJS.Platform = process.platform): boolean {
  if (platform !== 'linux') return false
  try {
    // A link to `<process>/task/<thread>` of whoever reads it.
    const thread = Number(basename(readlinkSync('/proc/thread-self')))
    setPriority(thread, Math.min(LAST, getPriority(thread) + STEPS_BACK))
    return true
  } catch {
    // No /proc, or not allowed: it works all the same, only less politely.
    return false
  }
}
