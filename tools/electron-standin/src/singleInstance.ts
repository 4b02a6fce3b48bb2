// One instance per user data folder. As in Chromium the lock is a symbolic link, which is made atomically and says who holds it:
// process id, that process's start (ids are used again), and the socket on which it hears of second instances.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface SecondInstance {
  readonly argv: string[]
  readonly workingDirectory: string
  readonly additionalData: unknown
}

export interface InstanceLock {
  release(): void
}

interface Holder {
  readonly pid: number
  readonly started: string
  readonly socket: string
}

const LOCK_NAME = 'standin-singleton'
const MESSENGER = fileURLToPath(new URL('./singleInstanceMessenger.ts', import.meta.url))
/** A first instance that does not take the message within this time is taken for hung. */
const DELIVERY_MS = 10_000
const ATTEMPTS = 3

/** When a process began, in the system's own words; null when there is no such process. */
function startOf(pid: number): string | null {
  try {
    if (process.platform !== 'linux') return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null
    // Field 22 of stat(5), counted after the command's closing parenthesis; a zombie holds nothing.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : (fields[19] ?? null)
  } catch {
    // No such process.
    return null
  }
}

function readHolder(lock: string): Holder | null {
  try {
    const [pid = '', started = '', socket = ''] = readlinkSync(lock).split('|')
    return { pid: Number(pid), started, socket }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

const isAlive = (holder: Holder): boolean => startOf(holder.pid) === holder.started

/** Moves a dead holder's lock away; another process that has taken the lock meanwhile keeps it. */
function clearStale(lock: string, stale: Holder): void {
  const aside = `${lock}.${process.pid}`
  try {
    renameSync(lock, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = readHolder(aside)
  if (moved && (moved.pid !== stale.pid || moved.started !== stale.started)) renameSync(aside, lock)
  else rmSync(aside, { force: true })
  rmSync(dirname(stale.socket), { recursive: true, force: true })
}

function listen(socket: string, onSecond: (second: SecondInstance) => void): Server {
  const server = createServer((connection) => {
    let text = ''
    connection.setEncoding('utf8')
    connection.on('error', (error) => console.error('[standin] a second instance broke off:', error.message))
    connection.on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end < 0) return
      connection.end('ok')
      onSecond(JSON.parse(text.slice(0, end)) as SecondInstance)
    })
  })
  server.on('error', (error) => console.error('[standin] second instances are not heard:', error.message))
  return server.listen(socket).unref()
}

/** Tells the holder and waits until it has heard, as Electron does before it returns. */
function deliver(socket: string, second: SecondInstance, nodePath: string): boolean {
  const { status } = spawnSync(nodePath, [MESSENGER, socket], {
    input: `${JSON.stringify(second)}\n`,
    timeout: DELIVERY_MS,
    stdio: ['pipe', 'ignore', 'inherit']
  })
  return status === 0
}

/**
 * The lock of `userData`, or null when another instance holds it: that one has then been told of this one.
 * `onSecond` hears of later instances.
 */
export function requestInstanceLock(
  userData: string,
  second: SecondInstance,
  options: { nodePath: string; onSecond: (second: SecondInstance) => void }
): InstanceLock | null {
  mkdirSync(userData, { recursive: true })
  const lock = join(userData, LOCK_NAME)
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const holder = readHolder(lock)
    if (holder && isAlive(holder)) {
      if (deliver(holder.socket, second, options.nodePath)) return null
      // It went away while it was being told; or it hangs, and then it keeps its lock.
      if (isAlive(holder)) {
        console.error('[standin] the first instance does not answer; it was not told of this one')
        return null
      }
    }
    if (holder) clearStale(lock, holder)
    const taken = take(lock, options.onSecond)
    if (taken) return taken
  }
  throw new Error(`[standin] the single instance lock ${lock} changes hands all the time`)
}

function take(lock: string, onSecond: (second: SecondInstance) => void): InstanceLock | null {
  // A socket's path is short by nature (about 100 characters), a user data folder's is not.
  const socket = join(mkdtempSync(join(tmpdir(), 'standin-')), 's')
  const server = listen(socket, onSecond)
  try {
    symlinkSync(`${process.pid}|${startOf(process.pid) ?? ''}|${socket}`, lock)
  } catch (error) {
    server.close()
    rmSync(dirname(socket), { recursive: true, force: true })
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null
    throw error
  }
  return {
    release() {
      server.close()
      rmSync(dirname(socket), { recursive: true, force: true })
      if (readHolder(lock)?.pid === process.pid) rmSync(lock, { force: true })
    }
  }
}
