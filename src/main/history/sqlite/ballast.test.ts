import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BALLAST_BYTES, BALLAST_FILE, createBallast } from './ballast.ts'
import { asStorageError } from './failures.ts'
import { withRoom } from './opening.ts'

let dataDir: string
let db: Database.Database
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-ballast-'))
  db = new Database(join(dataDir, 'small.db'))
  db.exec('CREATE TABLE t (text TEXT)')
})
afterEach(() => {
  db.close()
  rmSync(dataDir, { recursive: true })
})

const size = (): number => statSync(join(dataDir, BALLAST_FILE), { throwIfNoEntry: false })?.size ?? 0

/** A disk that has room for nothing more while the ballast lies on it. */
function insert(): number {
  db.pragma(`max_page_count = ${size() > 0 ? 2 : 1_000}`)
  return db.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(20_000)).changes
}

/** A disk that stays full. */
function insertInVain(): number {
  db.pragma('max_page_count = 2')
  return db.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(20_000)).changes
}

function broken(): never {
  throw new TypeError('a bug')
}

describe('the ballast', () => {
  it('is given back when the disk is full, and the write goes through', () => {
    const ballast = createBallast(dataDir)
    ballast.restore()
    expect(size()).toBe(BALLAST_BYTES)
    expect(insert).toThrow(expect.objectContaining({ code: 'SQLITE_FULL' }))
    expect(withRoom(ballast.release, insert)).toBe(1)
    expect(size()).toBe(0)
  })

  it('cannot help twice: then a person is told what to do', () => {
    const ballast = createBallast(dataDir)
    let told: unknown
    try {
      withRoom(ballast.release, insertInVain)
    } catch (error) {
      told = asStorageError(error, dataDir)
    }
    expect(told).toMatchObject({ code: 'unavailable', message: expect.stringContaining('disk is full'), details: { storage: 'full' } })
  })

  it('is made again when there is room, and made once', () => {
    const ballast = createBallast(dataDir)
    ballast.restore()
    ballast.release()
    ballast.release()
    expect(size()).toBe(0)
    ballast.restore()
    const made = statSync(join(dataDir, BALLAST_FILE)).mtimeMs
    ballast.restore()
    expect(statSync(join(dataDir, BALLAST_FILE)).mtimeMs).toBe(made)
  })

  it('leaves errors alone that room does not help', () => {
    const ballast = createBallast(dataDir)
    ballast.restore()
    expect(() => withRoom(ballast.release, broken)).toThrow(TypeError)
    expect(size()).toBe(BALLAST_BYTES)
  })
})
