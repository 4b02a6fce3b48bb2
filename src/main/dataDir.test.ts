// Where data can't be kept, one sentence says so.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ensureDataDir } from './dataDir.ts'

const root = mkdtempSync(join(tmpdir(), 'aside-data-'))
afterAll(() => rmSync(root, { recursive: true }))

describe('ensureDataDir', () => {
  it('makes the folder for this account only, with those above it', () => {
    const dir = join(root, 'a', 'b')
    ensureDataDir(dir)
    ensureDataDir(dir)
    expect(statSync(dir).isDirectory()).toBe(true)
    if (process.platform !== 'win32') expect(statSync(dir).mode & 0o777).toBe(0o700)
  })
  it('says what to do where a file is in the way', () => {
    const file = join(root, 'file')
    writeFileSync(file, '')
    for (const dir of [file, join(file, 'below')])
      expect(() => ensureDataDir(dir)).toThrow(/^Aside can’t keep its data in .* Set ASIDE_DATA_DIR to a folder/)
  })
  it.runIf(process.platform === 'linux')('does not hang where the system refuses without a reason', () => {
    expect(() => ensureDataDir('/proc/nope/deeper')).toThrow(/ASIDE_DATA_DIR/)
  })
})
