// `npm run --silent chaos:disk`: everything that a disk can do to the history. Each case ends in a clear message, and with
// every message that was acknowledged. The last line of standard output is JSON: `ok`, counts of each case, `lost`.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { loadOrCreateKey } from '../../src/main/history/key.ts'
import { openConnection } from '../../src/main/history/sqlite/connection.ts'
import { migrations } from '../../src/main/history/sqlite/migrations/index.ts'
import type { StoreOpened } from '../../src/main/history/store.ts'
import { newQuestion, START } from '../fakes/historySamples.ts'
import { backupFile, acts, fill, KEY, NEXT_KEY, open, textOf } from './diskActs.ts'

export interface DiskOptions {
  readonly flips: number
  readonly seed: number
  /** Of the steps at which a process is killed, every so many. */
  readonly everyStep: number
  /** For the checker's own test: messages are taken away behind its back. */
  readonly sabotage?: boolean
}

export interface DiskReport {
  readonly ok: boolean
  readonly lost: number
  readonly unclear: number
  readonly fullDiskBy: string
  readonly cases: Record<string, number>
  readonly problems: readonly string[]
}

const victim = fileURLToPath(new URL('diskVictim.ts', import.meta.url))

/** Mulberry32: small, and the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export async function runDisk(options: DiskOptions): Promise<DiskReport> {
  const root = mkdtempSync(join(tmpdir(), 'aside-chaos-disk-'))
  const random = seeded(options.seed)
  const problems: string[] = []
  const cases: Record<string, number> = {}
  let [lost, unclear, folders] = [0, 0, 0]

  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  const problem = (text: string): void => {
    problems.push(text)
    say(`  PROBLEM ${text}`)
  }
  const fresh = (): string => {
    folders += 1
    const folder = join(root, String(folders))
    mkdirSync(folder)
    return folder
  }
  const counted = (name: string): void => void (cases[name] = (cases[name] ?? 0) + 1)
  /** Every message that was acknowledged is there, word for word where it is a question. */
  function check(what: string, opened: StoreOpened, ids: readonly string[]): void {
    const { store } = opened
    if (options.sabotage === true && store.session('s1') !== null) store.removeSession('s1')
    const missing = ids.filter((id) => {
      const message = store.message(id)
      return message === null || (id.startsWith('q') && message.text !== textOf(Number(id.slice(1))))
    })
    lost += missing.length
    if (missing.length > 0) problem(`${what}: ${missing.length} messages are lost, ${missing[0]} first; told: ${opened.incident ?? 'nothing'}`)
  }
  function mustSay(what: string, said: string | null, ...parts: readonly RegExp[]): void {
    const dumb = parts.filter((part) => !part.test(said ?? ''))
    if (dumb.length === 0) return
    unclear += 1
    problem(`${what}: ${said ?? 'nothing was said'} (not ${dumb.map(String).join(', ')})`)
  }
  function said(action: () => unknown): string | null {
    try {
      action()
      return null
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  // A history that was closed well, and one as a crash leaves it, with its log.
  const [closed, crashed] = [fresh(), fresh()]
  const filling = open(closed)
  const ids = fill(filling, 1, 120)
  filling.store.close()
  const crashing = open(crashed)
  const crashIds = fill(crashing, 1, 120)
  const copyOf = (folder: string): string => {
    const copy = fresh()
    cpSync(folder, copy, { recursive: true })
    return copy
  }
  const leftByCrash = copyOf(crashed)
  crashing.store.close()

  function flipped(name: string, from: string, file: string, all: readonly string[]): void {
    const whole = readFileSync(join(from, file))
    for (let n = 0; n < options.flips; n++) {
      const folder = copyOf(from)
      const bytes = Buffer.from(whole)
      const [place, bit] = [Math.floor(random() * bytes.byteLength), Math.floor(random() * 8)]
      bytes[place] = (bytes[place] ?? 0) ^ (1 << bit)
      writeFileSync(join(folder, file), bytes)
      const what = `${name}: bit ${bit} of byte ${place}`
      const opened = open(folder)
      check(what, opened, all)
      // Silence only where nothing was damaged that anybody needs.
      if (opened.incident !== null) mustSay(what, opened.incident, /damaged/, /recovered|mended/, /kept as|kept, unchanged/)
      opened.store.close()
      rmSync(folder, { recursive: true })
      counted(name)
    }
  }

  function killed(act: string, prepare: (folder: string) => string[], after: (folder: string) => StoreOpened): void {
    const base = fresh()
    const all = prepare(base)
    for (let at = 1; ; at += options.everyStep) {
      const folder = copyOf(base)
      const { signal, status, stderr } = spawnSync(process.execPath, [victim, act, folder, String(at)], { encoding: 'utf8', timeout: 60_000 })
      say(`  ${act}, step ${at}: ${signal ?? 'done'}`)
      if (signal !== 'SIGKILL' && status !== 0) problem(`killed ${act}, step ${at}: ${stderr.trim().split('\n').at(-1)}`)
      const opened = after(folder)
      check(`killed ${act}, step ${at}`, opened, all)
      opened.store.close()
      const left = readdirSync(folder).filter((file) => /\.(migrating|copying|restoring|rekeying|recovering|next)(-|$)/.test(file))
      if (left.length > 0) problem(`killed ${act}, step ${at}: ${left.join(', ')} left behind`)
      rmSync(folder, { recursive: true })
      counted(`killed ${act}`)
      if (signal !== 'SIGKILL') {
        if (at === 1) problem(`killed ${act}: it was never killed`)
        return
      }
    }
  }

  function wrongKey(): void {
    const folder = copyOf(leftByCrash)
    const stranger = open(folder, NEXT_KEY)
    mustSay('wrong key', stranger.incident, /another key/, /kept, unchanged, as (history-set-aside-\S+\.db)/, /empty history/)
    stranger.store.close()
    const name = /history-set-aside-\S+\.db/.exec(stranger.incident ?? '')?.[0] ?? 'none'
    for (const suffix of ['', '-wal', '-shm']) {
      rmSync(join(folder, `history.db${suffix}`), { force: true })
      if (existsSync(join(folder, name + suffix))) renameSync(join(folder, name + suffix), join(folder, `history.db${suffix}`))
    }
    const again = open(folder)
    check('wrong key, then the right one', again, crashIds)
    again.store.close()
    counted('wrong key')
  }

  async function tornKey(): Promise<void> {
    const vault = {
      kind: 'file' as const,
      seal: (secret: Uint8Array) => Promise.resolve(secret),
      open: (sealed: Uint8Array) => Promise.resolve(sealed)
    }
    const folder = copyOf(closed)
    const load = async (): ReturnType<typeof loadOrCreateKey> =>
      loadOrCreateKey({ dataDir: folder, vault, clock: { now: () => START }, random: (length) => KEY.slice(0, length) })
    await load()
    const file = join(folder, 'history.key')
    const whole = readFileSync(file)
    for (let length = 0; length < whole.byteLength; length += Math.max(1, Math.floor(whole.byteLength / 10))) {
      writeFileSync(file, whole.subarray(0, length))
      const loaded = await load()
      if (loaded.state !== 'open') problem(`torn key file, ${length} bytes: it is locked`)
      else {
        mustSay(`torn key file, ${length} bytes`, loaded.incident, /damaged or missing/, /nothing was lost/)
        const opened = open(folder, loaded.keys[0])
        check(`torn key file, ${length} bytes`, opened, ids)
        opened.store.close()
      }
      counted('torn key file')
    }
  }

  function mounted(size: string, use: (folder: string, remount: (options: string) => boolean) => void): boolean {
    const folder = fresh()
    const mount = (...args: readonly string[]): boolean => spawnSync('mount', args, { timeout: 10_000 }).status === 0
    if (!mount('-t', 'tmpfs', '-o', `size=${size},mode=700`, 'aside-chaos', folder)) return false
    try {
      use(folder, (how) => mount('-o', `remount,${how}`, folder))
    } finally {
      spawnSync('umount', [folder], { timeout: 10_000 })
    }
    return true
  }

  function fullDisk(): boolean {
    return mounted('6m', (folder) => {
      cpSync(closed, folder, { recursive: true })
      const opened = open(folder)
      const all = [...ids]
      let told: string | null = null
      for (let n = 121; told === null && n < 5_000; n++) {
        told = said(() => opened.store.accept({ question: newQuestion(n, textOf(n)), messageId: `q${n}`, at: START }))
        if (told === null) all.push(`q${n}`)
      }
      mustSay('full disk', told, /disk is full/, /Nothing that was saved before is lost/, /Free some space/)
      if (all.length <= ids.length) problem('full disk: nothing was accepted before it was full')
      const backup = said(() => acts['backup']?.(folder))
      mustSay('backup on a full disk', backup, /disk is full/, /Nothing that was saved before is lost/)
      opened.store.close()
      // Not a byte more: it opens all the same, or says why not.
      let again: StoreOpened | null = null
      const refused = said(() => void (again = open(folder)))
      if (refused !== null) mustSay('start on a full disk', refused, /disk is full/, /Free some space/)
      else (again as StoreOpened | null)?.store.close()
      const migration = said(() => acts['migrate']?.(folder))
      mustSay('migration on a full disk', migration, /disk is full/, /Nothing that was saved before is lost/)
      spawnSync('mount', ['-o', 'remount,size=64m', folder], { timeout: 10_000 })
      const roomy = open(folder)
      roomy.store.accept({ question: newQuestion(6_000, textOf(6_000)), messageId: 'q6000', at: START })
      check('full disk, then room', roomy, [...all, 'q6000'])
      roomy.store.close()
      counted('full disk')
    })
  }

  function readOnly(): boolean {
    return mounted('64m', (folder, remount) => {
      cpSync(closed, folder, { recursive: true })
      if (!remount('ro')) problem('read-only: the folder could not be made so')
      const refused = said(() => open(folder))
      mustSay('start in a read-only folder', refused, /can't write to/, /Nothing that was saved before is lost/, /Check its permissions/)
      remount('rw')
      const opened = open(folder)
      check('read-only, then not', opened, ids)
      opened.store.close()
      counted('read-only folder')
    })
  }

  try {
    say('flipped bits in the file')
    flipped('flipped bit in file', closed, 'history.db', ids)
    say('flipped bits in the log')
    flipped('flipped bit in log', leftByCrash, 'history.db-wal', crashIds)
    say('keys')
    wrongKey()
    await tornKey()
    say('killed in the middle')
    const filled = (folder: string): string[] => {
      cpSync(closed, folder, { recursive: true })
      return ids
    }
    const withBackup = (folder: string): string[] => {
      filled(folder)
      acts['backup']?.(folder)
      return ids
    }
    // After a migration only the version that made it opens it: the same act again brings it to its end, or finds it done.
    killed('migrate', filled, (folder) => {
      acts['migrate']?.(folder)
      return downgraded(folder)
    })
    killed('backup', filled, (folder) => {
      if (existsSync(backupFile(folder))) acts['restore']?.(folder)
      return open(folder)
    })
    killed('restore', withBackup, (folder) => open(folder))
    killed('rekey', filled, (folder) => open(folder, KEY, [NEXT_KEY]))
    killed(
      'recover',
      (folder) => {
        filled(folder)
        const bytes = readFileSync(join(folder, 'history.db'))
        const place = 30 * 4_096 + 77
        bytes[place] = (bytes[place] ?? 0) ^ 16
        writeFileSync(join(folder, 'history.db'), bytes)
        return ids
      },
      (folder) => open(folder)
    )
    say('full disk, read-only folder')
    const isMounted = fullDisk() && readOnly()
    if (!isMounted) problem('a small file system could not be mounted: the full disk and the read-only folder were not tried (run as root)')
    return {
      ok: problems.length === 0 && lost === 0,
      lost,
      unclear,
      fullDiskBy: isMounted ? 'tmpfs' : 'not tried',
      cases,
      problems: problems.slice(0, 20)
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }

  /** Opened with the format of the released steps: the added column does not hinder them. */
  function downgraded(folder: string): StoreOpened {
    const db = openConnection(join(folder, 'history.db'), KEY, { fileMustExist: true })
    if (db.prepare("SELECT count(*) FROM pragma_table_info('messages') WHERE name = 'colour'").pluck().get() !== 1)
      problem('the migration was not done')
    db.pragma(`user_version = ${migrations.at(-1)?.version ?? 0}`)
    db.close()
    return open(folder)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: { flips: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' }, 'every-step': { type: 'string', default: '1' } }
  })
  const report = await runDisk({ flips: Number(values.flips), seed: Number(values.seed), everyStep: Number(values['every-step']) })
  process.stdout.write(`${JSON.stringify(report)}\n`)
  process.exitCode = report.ok ? 0 : 1
}
