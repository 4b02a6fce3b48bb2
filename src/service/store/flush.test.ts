// What the writer acknowledged is on the disk: power is cut at every flush, flushes fail, and nothing that was told is missing.
import { execFile } from 'node:child_process'
import { constants, copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../../../test/fakes/service-parts.ts'
import { openDatabase, type Database } from './database.ts'
import { openFlush, type Flush } from './flush.ts'
import { createWriter } from './writer.ts'

const key = '22'.repeat(32)
const migrations = ['CREATE TABLE n (v INTEGER PRIMARY KEY, text TEXT)']

function open(folder: string, name = 'n.sqlite') {
  const { database } = openDatabase({ file: join(folder, name), key, migrations, now: 0 })
  database.pragma('synchronous = NORMAL')
  return database
}

function numbers(database: Database) {
  const insert = database.prepare('INSERT INTO n VALUES (?, ?)')
  return {
    add: (v: number) => () => void insert.run(v, 'x'.repeat(v % 900)),
    all: () => database.prepare<[], number>('SELECT v FROM n ORDER BY v').pluck().all() as number[]
  }
}

/** The files as a power cut would leave them: as they were when a flush was last over. Everything since is gone. */
function disk(folder: string, file: string) {
  const copies: string[] = []
  const seen = new Map<string, readonly number[]>()
  /** Salts of the log. */
  const beginnings = new Set<string>()
  return {
    copies,
    beginnings,
    take() {
      beginnings.add(readFileSync(`${file}-wal`).toString('hex', 16, 24))
      const copy = `cut-${copies.length}.sqlite`
      for (const suffix of ['', '-wal']) {
        if (existsSync(`${file}${suffix}`)) copyFileSync(`${file}${suffix}`, join(folder, `${copy}${suffix}`), constants.COPYFILE_FICLONE)
      }
      copies.push(copy)
    },
    /** What somebody finds who starts after the cut. */
    found(copy: string): readonly number[] {
      const known = seen.get(copy)
      if (known !== undefined) return known
      const database = open(folder, copy)
      const all = numbers(database).all()
      database.close()
      seen.set(copy, all)
      return all
    }
  }
}

const steps = (flush: Flush) => {
  const waiting: { readonly go: () => void; readonly fail: (error: Error) => void }[] = []
  const held: Flush = {
    ...flush,
    later: () =>
      new Promise((resolve, reject) => {
        waiting.push({ go: () => void flush.later().then(resolve, reject), fail: reject })
      })
  }
  const next = async (): Promise<(typeof waiting)[number]> => {
    for (;;) {
      const first = waiting.shift()
      if (first !== undefined) return first
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { held, next }
}
const full = (): Error => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })

describe('a writer that flushes by itself', () => {
  it('has on the disk what it acknowledged, wherever power is cut, also while the log goes to the database and begins anew', async () => {
    await using temp = await tempFolder()
    const database = open(temp.path)
    database.pragma('wal_autocheckpoint = 5')
    const { add } = numbers(database)
    const flush = openFlush(database)
    const { copies, beginnings, take, found } = disk(temp.path, database.name)
    const writer = createWriter(database, {
      flush: {
        ...flush,
        later: async () => {
          await flush.later()
          take()
        }
      }
    })
    /** By number: the last copy that was there when it was acknowledged. */
    const told = new Map<number, string | undefined>()
    const write = async (v: number): Promise<void> => {
      await writer.write(add(v))
      told.set(v, copies.at(-1))
    }
    for (let v = 0; v < 120; v += 4) await Promise.all([0, 1, 2, 3].map((more) => write(v + more)))
    const lost = [...told].filter(([v, copy]) => copy === undefined || !found(copy).includes(v))
    expect(lost).toEqual([])
    expect(told.size).toBe(120)
    // Each beginning of the log has a salt of its own: it went to the database several times.
    expect(beginnings.size).toBeGreaterThan(3)
    // The judge convicts: what came after a copy is not in it.
    expect(found(copies[0] ?? '')).not.toContain(119)
    writer.stop()
    flush.close()
    database.close()
  })

  it('tells nobody before the flush is over, and gathers what comes meanwhile for the next commit', async () => {
    await using temp = await tempFolder()
    const database = open(temp.path)
    const { add, all } = numbers(database)
    const flush = openFlush(database)
    const { held, next } = steps(flush)
    const commits: number[] = []
    const writer = createWriter(database, { flush: held, onCommit: (writes) => commits.push(writes) })
    const told: number[] = []
    const write = (v: number): Promise<unknown> => writer.write(add(v)).then(() => told.push(v))
    const first = write(1)
    const flushing = await next()
    const others = [write(2), write(3)]
    let isSettled = false
    const settled = writer.settled().then(() => (isSettled = true))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect({ told, isSettled, written: all() }).toEqual({ told: [], isSettled: false, written: [1] })
    flushing.go()
    await first
    await settled
    const second = await next()
    expect(told).toEqual([1])
    second.go()
    await Promise.all(others)
    expect(commits).toEqual([1, 2])
    writer.stop()
    flush.close()
    database.close()
  })

  it('brings everything to the database when a flush fails, and says that it is kept only if that worked', async () => {
    await using temp = await tempFolder()
    const database = open(temp.path)
    const { add, all } = numbers(database)
    const flush = openFlush(database)
    let mends = 0
    let isFull = true
    const { held, next } = steps(flush)
    const writer = createWriter(database, {
      flush: {
        ...held,
        mend() {
          mends += 1
          if (isFull) throw full()
          flush.mend()
        }
      }
    })
    const lost = writer.write(add(1))
    lost.catch(() => undefined)
    const first = await next()
    first.fail(full())
    await expect(lost).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('full or failing') })
    await expect(writer.settled()).rejects.toMatchObject({ code: 'unavailable' })
    // Still full: nothing is even tried, for it would stand upon what is torn.
    await expect(writer.write(add(2))).rejects.toMatchObject({ code: 'unavailable' })
    expect(mends).toBe(2)
    isFull = false
    const later = writer.write(add(3))
    const second = await next()
    second.go()
    await later
    await writer.settled()
    expect(all()).toEqual([1, 3])
    // One whose repair succeeds has lost nothing and is told so.
    const saved = writer.write(add(4))
    const third = await next()
    third.fail(full())
    await saved
    writer.stop()
    flush.close()
    database.close()
    const again = open(temp.path)
    expect(numbers(again).all()).toEqual([1, 3, 4])
    again.close()
  })

  it('has all on the disk when it is stopped in the middle of a flush', async () => {
    await using temp = await tempFolder()
    const database = open(temp.path)
    const { add } = numbers(database)
    const flush = openFlush(database)
    const { held, next } = steps(flush)
    const { copies, take, found } = disk(temp.path, database.name)
    const writer = createWriter(database, {
      flush: {
        ...held,
        now() {
          flush.now()
          take()
        }
      }
    })
    const first = writer.write(add(1))
    const flushing = await next()
    const second = writer.write(add(2))
    writer.stop()
    await Promise.all([first, second])
    expect(found(copies.at(-1) ?? '')).toEqual([1, 2])
    flushing.go()
    await new Promise((resolve) => setImmediate(resolve))
    flush.close()
    database.close()
  })

  it('says that the disk is full where the log can’t grow, keeps what was there, and goes on when there is room', async () => {
    await using temp = await tempFolder()
    const database = open(temp.path)
    const { add, all } = numbers(database)
    const flush = openFlush(database)
    const writer = createWriter(database, { flush })
    await writer.write(add(1))
    // SQLite's own word for a disk that takes no more.
    const pages = Number(database.pragma('page_count', { simple: true }))
    database.pragma(`max_page_count = ${pages}`)
    const large = database.prepare('INSERT INTO n VALUES (?, ?)')
    await expect(writer.write(() => large.run(2, 'y'.repeat(100_000)))).rejects.toMatchObject({ code: 'unavailable' })
    expect(all()).toEqual([1])
    database.pragma('max_page_count = 1000000')
    await writer.write(() => large.run(2, 'y'.repeat(100_000)))
    expect(all()).toEqual([1, 2])
    writer.stop()
    flush.close()
    database.close()
  })

  it('keeps a second service out although a descriptor of its log comes and goes', async () => {
    await using temp = await tempFolder()
    const database = open(temp.path)
    const flush = openFlush(database)
    flush.close()
    await expect(otherProcess(database.name)).rejects.toMatchObject({ stderr: expect.stringContaining('Another Aside service already uses') })
    database.close()
    await otherProcess(`${temp.path}/n.sqlite`)
  })
})

/** A process of its own: locks do not hold within one. */
async function otherProcess(file: string): Promise<void> {
  const options = JSON.stringify({ file, key, migrations, now: 0 })
  const program = `import { openDatabase } from ${JSON.stringify(import.meta.resolve('./database.ts'))}; openDatabase(${options}).database.close()`
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
}
