// Builds happen when the sources changed, once for all that ask at the same moment, and a failure tells why.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureBuilt } from './build.ts'

let root: string
let builds: number

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'aside-build-'))
  builds = 0
  mkdirSync(join(root, 'src', 'main'), { recursive: true })
  writeFileSync(join(root, 'src', 'main', 'index.ts'), 'one')
  writeFileSync(join(root, 'package.json'), '{}')
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

async function build(): Promise<void> {
  builds += 1
  mkdirSync(join(root, 'out', 'main'), { recursive: true })
  writeFileSync(join(root, 'out', 'main', 'index.js'), '')
}

const ensure = (): Promise<boolean> => ensureBuilt({ root, run: build })

describe('the build', () => {
  it('runs once, then not again until a source changes', async () => {
    expect([await ensure(), await ensure()]).toStrictEqual([true, false])
    writeFileSync(join(root, 'src', 'main', 'index.ts'), 'two')
    expect([await ensure(), await ensure()]).toStrictEqual([true, false])
    expect(builds).toBe(2)
  })

  it('looks at contents: neither a new time nor a test makes it run', async () => {
    await ensure()
    utimesSync(join(root, 'src', 'main', 'index.ts'), new Date(0), new Date())
    writeFileSync(join(root, 'src', 'main', 'index.test.ts'), 'a test')
    expect(await ensure()).toBe(false)
  })

  it('runs when a file is renamed or the bundles are gone', async () => {
    await ensure()
    rmSync(join(root, 'src', 'main', 'index.ts'))
    writeFileSync(join(root, 'src', 'main', 'renamed.ts'), 'one')
    expect(await ensure()).toBe(true)
    rmSync(join(root, 'out', 'main'), { recursive: true })
    expect(await ensure()).toBe(true)
  })

  it('runs once for two that ask at the same moment', async () => {
    const asked = await Promise.all([ensure(), ensure()])
    expect(asked.filter(Boolean)).toHaveLength(1)
    expect(builds).toBe(1)
  })

  it('is tried again after it failed, and leaves no lock behind', async () => {
    const failing = ensureBuilt({ root, run: () => Promise.reject(new Error('no')) })
    await expect(failing).rejects.toThrow('no')
    expect(await ensure()).toBe(true)
  })

  it('takes away the lock of a process that died', async () => {
    const lock = join(root, 'node_modules', '.cache', 'aside-build.lock')
    mkdirSync(lock, { recursive: true })
    utimesSync(lock, new Date(0), new Date(0))
    expect(await ensure()).toBe(true)
  })
})
