import { mkdtempSync, readFileSync, rmSync, writeFileSync, cpSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openConnection } from './connection.ts'
import { mendLog } from './walMend.ts'

const key = new Uint8Array(32).fill(7)
const FRAME = 24 + 4_096
let dir: string
let log: Buffer
/** A database with forty commits in its log; the log was reset once, so that frames of an older one stand behind its end. */
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'aside-wal-'))
  const db = openConnection(join(dir, 'a.db'), key)
  db.exec('CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT)')
  const add = db.prepare('INSERT INTO t (text) VALUES (?)')
  for (let n = 0; n < 60; n++) add.run(`old ${n} `.repeat(100))
  db.pragma('wal_checkpoint(RESTART)')
  for (let n = 0; n < 40; n++) add.run(`new ${n} `.repeat(100))
  cpSync(join(dir, 'a.db'), join(dir, 'b.db'))
  log = readFileSync(join(dir, 'a.db-wal'))
  db.close()
})
afterAll(() => rmSync(dir, { recursive: true }))

/** Rows that SQLite reads with this log. */
function rows(bytes: Uint8Array): number {
  cpSync(join(dir, 'b.db'), join(dir, 'c.db'))
  writeFileSync(join(dir, 'c.db-wal'), bytes)
  rmSync(join(dir, 'c.db-shm'), { force: true })
  const db = openConnection(join(dir, 'c.db'), key, { readonly: true })
  const count = db.prepare('SELECT count(*) FROM (SELECT text FROM t ORDER BY text)').pluck().get() as number
  db.close()
  return count
}
/** Frames of this log; those of the older one follow. */
function liveFrames(): number {
  const salt = log.subarray(16, 24)
  let count = 0
  while (32 + count * FRAME + FRAME <= log.length && log.subarray(32 + count * FRAME + 8, 32 + count * FRAME + 16).equals(salt)) count += 1
  return count
}

describe('the write-ahead log', () => {
  it('is left alone when it is whole, torn at its end, or no log', () => {
    expect(rows(log)).toBe(100)
    expect(mendLog(log)).toBeNull()
    expect(mendLog(log.subarray(0, 32 + FRAME * 3 + 100))).toBeNull()
    expect(mendLog(Buffer.alloc(10))).toBeNull()
    expect(mendLog(Buffer.alloc(9_000, 1))).toBeNull()
    const torn = Buffer.from(log)
    torn.fill(0, 32 + (liveFrames() - 1) * FRAME + 600, 32 + liveFrames() * FRAME)
    expect(mendLog(torn)).toBeNull()
  })

  it('is what it was after one bit of it flipped, and where the sums can’t tell which, not a frame behind it is given up', () => {
    const live = 32 + liveFrames() * FRAME
    const middle = 32 + Math.floor(liveFrames() / 2) * FRAME
    const places = [
      ...Array.from({ length: 32 }, (_, n) => n),
      ...Array.from({ length: 24 }, (_, n) => middle + n),
      ...Array.from({ length: 200 }, (_, n) => 32 + Math.floor(((n + 0.5) / 200) * (live - FRAME - 32)))
    ]
    let same = 0
    for (const [n, place] of places.entries()) {
      const what = `bit ${n % 8} of byte ${place}`
      const flipped = Buffer.from(log)
      flipped[place] = flipped[place]! ^ (1 << (n % 8))
      const mended = mendLog(flipped)
      expect((mended?.corrected ?? 0) + (mended?.damaged ?? 0), what).toBe(1)
      if (mended?.corrected === 1) {
        expect(Buffer.from(mended.bytes).equals(log), what).toBe(true)
        same += 1
      } else {
        expect(place, what).toBeGreaterThan(32)
      }
    }
    expect(same / places.length).toBeGreaterThan(0.7)
  })

  it('gives up none of the commits behind a frame that can’t be mended', () => {
    const damaged = Buffer.from(log)
    const at = 32 + Math.floor(liveFrames() / 3) * FRAME + 24
    damaged.fill(0xa5, at + 100, at + 140)
    const before = rows(damaged)
    expect(before).toBeLessThan(90)
    const mended = mendLog(damaged)
    expect(mended).toMatchObject({ corrected: 0, damaged: 1 })
    // The page that was hit has been written again since, or the cipher refuses it.
    let after = 0
    try {
      after = rows(mended!.bytes)
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/SQLITE_(CORRUPT|NOTADB)/) })
      after = 100
    }
    expect(after).toBe(100)
  })
})
