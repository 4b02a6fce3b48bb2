// The store keeps what it says it kept, whatever happens to its file.
import { chmod, open, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { numbered } from '../../../test/fakes/arbitraries.ts'
import { aQuestion, fakeClock, tempFolder, tempStore } from '../../../test/fakes/service-parts.ts'
import { createSqliteTurnLog } from '../turns/turnLog.sqlite.ts'
import { createBond } from './bond.ts'
import { openDatabase } from './database.ts'
import { migrations } from './migrations.ts'
import { secretFile } from './secretFile.ts'
import { openStore, storeKey } from './store.ts'
import { createWriter, paceAfterCommit, pauseAfterCommit } from './writer.ts'

const secret = 'what the client said in confidence'
function save(store: Awaited<ReturnType<typeof openStore>>, turnId = 't1'): Promise<unknown> {
  return store.writer.write(() =>
    store.database
      .prepare("INSERT INTO message (user_id, session_id, turn_id, role, text, created_at) VALUES ('u', 's', ?, 'user', ?, 1)")
      .run(turnId, secret)
  )
}
const count = (store: Awaited<ReturnType<typeof openStore>>): unknown => store.database.prepare('SELECT count(*) FROM message').pluck().get()

describe('store', () => {
  it('holds nothing readable in any of its files', async () => {
    await using temp = await tempStore()
    await save(temp.store)
    const files = await readdir(temp.path)
    const contents = await Promise.all(files.map((file) => readFile(join(temp.path, file))))
    expect(files.length).toBeGreaterThan(1)
    expect(contents.filter((content) => content.includes(secret))).toEqual([])
    const modes = await Promise.all(files.map(async (file) => (await stat(join(temp.path, file))).mode & 0o777))
    expect(new Set(modes)).toEqual(new Set([0o600]))
  })

  it('is opened by one process at a time and says so', async () => {
    await using temp = await tempStore()
    await expect(openStore({ dataDir: temp.path, clock: fakeClock() })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('Another Aside service already uses')
    })
  })

  it('keeps a file with another key aside and opens a fresh one', async () => {
    await using temp = await tempStore()
    await save(temp.store)
    await chmod(join(temp.path, 'store.key'), 0o600)
    await writeFile(join(temp.path, 'store.key'), 'ab'.repeat(32))
    const fresh = await temp.reopen()
    expect(fresh.incident).toContain('kept as')
    expect(count(fresh)).toBe(0)
    expect((await readdir(temp.path)).filter((name) => name.startsWith('service.sqlite.damaged-'))).not.toEqual([])
  })

  it('keeps a key file that is no key aside, and never encrypts with what is in it', async () => {
    await using temp = await tempStore()
    await writeFile(join(temp.path, 'store.key'), '')
    const fresh = await temp.reopen()
    expect(fresh.incident).toContain('key file')
    expect(await readFile(join(temp.path, 'store.key'), 'utf8')).toMatch(/^[0-9a-f]{64}$/)
  })

  it('finds a flipped bit and keeps the damaged file aside', async () => {
    await using temp = await tempStore()
    await save(temp.store)
    temp.store.stop()
    const file = await open(join(temp.path, 'service.sqlite'), 'r+')
    const { size } = await file.stat()
    const byte = Buffer.alloc(1)
    // A page in the middle that is in use: its check fails on reading.
    for (let position = 4_096 + 100; position < size; position += 4_096) {
      await file.read(byte, 0, 1, position)
      byte[0] = (byte[0] ?? 0) ^ 1
      await file.write(byte, 0, 1, position)
    }
    await file.close()
    const fresh = await temp.reopen()
    expect(fresh.incident).toContain('kept as')
  })

  it('refuses a store of a newer version and leaves it alone', async () => {
    await using temp = await tempStore()
    temp.store.database.pragma('user_version = 999')
    await expect(temp.reopen()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('newer version') })
    expect((await readdir(temp.path)).some((name) => name.includes('damaged'))).toBe(false)
  })

  it('takes the events of turns over from a file of an older version', async () => {
    await using folder = await tempFolder()
    const { key } = await storeKey(join(folder.path, 'store.key'), 0)
    const older = openDatabase({ file: join(folder.path, 'service.sqlite'), key, migrations: migrations.slice(0, 7), now: 0 }).database
    const question = aQuestion()
    const { turnId } = question
    older
      .prepare("INSERT INTO turn (turn_id, user_id, session_id, message_id, question, created_at, last_seq) VALUES (?, 'u', 's', 'm', ?, 1, 3)")
      .run(turnId, JSON.stringify(question))
    const events = numbered(turnId, [
      { type: 'accepted', messageId: 'm' },
      { type: 'delta', text: 'x'.repeat(2_000) },
      { type: 'delta', text: 'y' }
    ])
    const insert = older.prepare('INSERT INTO turn_events VALUES (?, ?, ?, ?)')
    insert.run(turnId, 3, 3, JSON.stringify(events.slice(2)))
    insert.run(turnId, 1, 2, JSON.stringify(events.slice(0, 2)))
    older.close()
    const store = await openStore({ dataDir: folder.path, clock: fakeClock() })
    const log = createSqliteTurnLog(store)
    expect(await log.read(turnId, 0)).toEqual(events)
    await log.append(turnId, [{ type: 'done', messageId: 'm', finish: 'stop', turnId, seq: 4, at: 9 }])
    expect(await log.find(turnId)).toMatchObject({ lastSeq: 4, ended: true })
    await log.prune(2)
    expect(store.database.prepare('SELECT count(*) FROM turn_events').pluck().get()).toBe(0)
    store.stop()
  })

  it.each(['/proc/nowhere', '/dev/null/inside'])('says in one sentence that %s can’t be written', async (dataDir) => {
    await expect(openStore({ dataDir, clock: fakeClock() })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('ASIDE_DATA_DIR')
    })
  })
})

describe('secretFile', () => {
  it('is made once, however many ask at the same moment', async () => {
    await using folder = await tempFolder()
    let made = 0
    const all = await Promise.all(Array.from({ length: 20 }, () => secretFile(join(folder.path, 'deep', 'key'), () => `key ${made++}`)))
    expect(new Set(all).size).toBe(1)
    expect(await readdir(join(folder.path, 'deep'))).toEqual(['key'])
  })

  it('closes a file that others may read', async () => {
    await using folder = await tempFolder()
    const path = join(folder.path, 'key')
    await writeFile(path, 'secret', { mode: 0o644 })
    expect(await secretFile(path, () => 'other')).toBe('secret')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })
})

describe('writer', () => {
  function numbers(path: string) {
    const { database } = openDatabase({
      file: join(path, 'n.sqlite'),
      key: '11'.repeat(32),
      migrations: ['CREATE TABLE n (v INTEGER PRIMARY KEY)'],
      now: 0
    })
    const insert = database.prepare('INSERT INTO n VALUES (?)')
    return { database, add: (v: number) => () => insert.run(v).lastInsertRowid, all: () => database.prepare('SELECT v FROM n').pluck().all() }
  }

  it('makes everything of one tick durable in one commit', async () => {
    await using folder = await tempFolder()
    const { database, add, all } = numbers(folder.path)
    let commits = 0
    const original = database.transaction.bind(database)
    database.transaction = ((body: (...args: unknown[]) => unknown) =>
      original((...args: unknown[]) => (commits++, body(...args)))) as typeof database.transaction
    const writer = createWriter(database)
    await Promise.all([1, 2, 3, 4, 5].map((v) => writer.write(add(v))))
    expect(all()).toEqual([1, 2, 3, 4, 5])
    expect(commits).toBe(1)
    writer.stop()
    database.close()
  })

  it('undoes only the write that failed', async () => {
    await using folder = await tempFolder()
    const { database, add, all } = numbers(folder.path)
    const writer = createWriter(database)
    const results = await Promise.allSettled([writer.write(add(1)), writer.write(add(1)), writer.write(add(2))])
    expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(all()).toEqual([1, 2])
    writer.stop()
    database.close()
  })

  it('undoes the writes of a bond together, and makes none after one of them has failed', async () => {
    await using folder = await tempFolder()
    const { database, add, all } = numbers(folder.path)
    const writer = createWriter(database)
    const bond = createBond()
    await writer.write(add(1), bond)
    const together = [writer.write(add(2), bond), writer.write(add(3)), writer.write(add(1), bond), writer.write(add(4), bond)]
    expect((await Promise.allSettled(together)).map((r) => r.status)).toEqual(['rejected', 'fulfilled', 'rejected', 'rejected'])
    await expect(writer.write(add(5), bond)).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_PRIMARYKEY' })
    await writer.write(add(6), createBond())
    expect(all()).toEqual([1, 3, 6])
    writer.stop()
    database.close()
  })

  it('makes the writes of a bond where its last one stands, when another write has failed', async () => {
    await using folder = await tempFolder()
    const { database, add, all } = numbers(folder.path)
    const writer = createWriter(database)
    const bond = createBond()
    const afterTwo = () => {
      if (!all().includes(2)) throw new RangeError('2 is not there yet')
      add(3)()
    }
    const told = await Promise.allSettled([
      writer.write(add(1), bond),
      writer.write(add(2)),
      writer.write(afterTwo, bond),
      writer.write(() => {
        throw new RangeError('never')
      })
    ])
    expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected'])
    expect(all()).toEqual([1, 2, 3])
    writer.stop()
    database.close()
  })

  it('has what is part of every commit begin anew for each try, and undoes the writes when it fails', async () => {
    await using folder = await tempFolder()
    const { database, add, all } = numbers(folder.path)
    const writer = createWriter(database)
    let sum = 0
    const sums: number[] = []
    writer.join({
      begin: () => (sum = 0),
      end() {
        sums.push(sum)
        if (sum === 5) throw new RangeError('five is too many')
      }
    })
    const count = (v: number) => () => {
      sum += v
      add(v)()
    }
    const told = await Promise.allSettled([writer.write(count(1)), writer.write(count(5)), writer.write(count(5)), writer.write(count(2))])
    expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    expect(sums).toEqual([1, 5, 5, 2])
    expect(all()).toEqual([1, 2])
    writer.stop()
    database.close()
  })

  it('commits what waits when it is stopped, and takes nothing more', async () => {
    await using folder = await tempFolder()
    const { database, add, all } = numbers(folder.path)
    const writer = createWriter(database)
    const last = writer.write(add(7))
    writer.stop()
    await last
    expect(all()).toEqual([7])
    await expect(writer.write(add(8))).rejects.toThrow('closed')
    database.close()
  })

  it('rests as long as a slow commit took, and not after a quick one', () => {
    expect([0.3, 4, 12, 800].map(pauseAfterCommit)).toEqual([0, 0, 12, 50])
  })

  it('commits less often the longer a commit holds the event loop, when flushes go on beside it', () => {
    expect([0.1, 0.25, 1, 800].map((heldMs) => paceAfterCommit(heldMs, 0.5))).toEqual([2, 2, 8, 16])
  })

  it('commits sooner where the event loop would be idle for more than half of the time', () => {
    expect([0, 0.5, 0.625, 1].map((idle) => paceAfterCommit(1.5, idle))).toEqual([12, 12, 6, 2.4])
  })
})
