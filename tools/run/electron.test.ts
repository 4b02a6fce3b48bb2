// Which Electron runs, decided in every situation, with a package folder of the test's own.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { electronSwitches, resolveElectron, STANDIN_FOLDER, type ResolveOptions } from './electron.ts'

const DAY_MS = 24 * 60 * 60 * 1000
let root: string
let folder: string
let fetches: number

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'aside-run-'))
  folder = join(root, 'electron')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "version": "45.0.0" }')
  fetches = 0
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function install(): void {
  mkdirSync(join(folder, 'dist'), { recursive: true })
  writeFileSync(join(folder, 'dist', 'electron'), '')
  writeFileSync(join(folder, 'path.txt'), 'electron')
}

function situation(options: ResolveOptions & { fetchSucceeds?: boolean } = {}): ResolveOptions {
  return {
    env: {},
    platform: 'linux',
    electronFolder: folder,
    stampFile: join(root, 'stamp.json'),
    now: () => 1_000_000,
    fetchBinary: async () => {
      fetches += 1
      if (options.fetchSucceeds) install()
      return options.fetchSucceeds ?? false
    },
    ...options
  }
}

describe('which Electron runs', () => {
  it('is the real one, without a word, when its binary is there', async () => {
    install()
    expect(await resolveElectron(situation())).toMatchObject({ kind: 'electron', executable: join(folder, 'dist', 'electron'), notice: null })
    expect(fetches).toBe(0)
  })

  it('is the real one when it can be fetched', async () => {
    expect(await resolveElectron(situation({ fetchSucceeds: true }))).toMatchObject({ kind: 'electron' })
  })

  it('is the stand-in, with one line that says so, when it can not', async () => {
    const choice = await resolveElectron(situation())
    expect(choice).toMatchObject({
      kind: 'standin',
      executable: join(STANDIN_FOLDER, 'electron'),
      env: { ELECTRON_OVERRIDE_DIST_PATH: STANDIN_FOLDER }
    })
    expect(choice.notice).toMatch(/^[^\n]+stand-in[^\n]+$/)
  })

  it('remembers a failed fetch for a day, and for that version only', async () => {
    await resolveElectron(situation())
    await resolveElectron(situation({ now: () => 1_000_000 + DAY_MS - 1 }))
    expect(fetches).toBe(1)
    await resolveElectron(situation({ now: () => 1_000_000 + DAY_MS }))
    expect(fetches).toBe(2)
    writeFileSync(join(folder, 'package.json'), '{ "version": "46.0.0" }')
    await resolveElectron(situation())
    expect(fetches).toBe(3)
  })

  it('fetches again when the stamp is damaged', async () => {
    writeFileSync(join(root, 'stamp.json'), '{"version":')
    await resolveElectron(situation())
    expect(fetches).toBe(1)
    expect(JSON.parse(readFileSync(join(root, 'stamp.json'), 'utf8'))).toStrictEqual({ version: '45.0.0', failedAt: 1_000_000 })
  })

  it('is fetched neither in CI nor when the stand-in is asked for', async () => {
    expect(await resolveElectron(situation({ env: { CI: 'true' } }))).toMatchObject({ kind: 'standin' })
    install()
    expect(await resolveElectron(situation({ env: { STANDIN: '1' } }))).toMatchObject({ kind: 'standin', notice: null })
    expect(fetches).toBe(0)
  })

  it('is an error in one sentence when the real one is asked for and not to be had', async () => {
    await expect(resolveElectron(situation({ env: { STANDIN: '0', CI: 'true' } }))).rejects.toThrow('STANDIN=0 asks for the real Electron')
    expect(fetches).toBe(1)
  })

  it('is no stand-in on Windows', async () => {
    await expect(resolveElectron(situation({ platform: 'win32' }))).rejects.toThrow('npx install-electron')
  })

  it("is the one that Electron's own variable names", async () => {
    expect(await resolveElectron(situation({ env: { ELECTRON_OVERRIDE_DIST_PATH: '/opt/electron' } }))).toMatchObject({
      kind: 'electron',
      executable: '/opt/electron/electron'
    })
  })
})

describe('the switches of the real Electron', () => {
  const linux = { platform: 'linux', uid: 1000, hasDisplay: true } as const

  it('turn the sandbox off for root only, and say so', () => {
    expect(electronSwitches('electron', linux)).toStrictEqual({ switches: [], notices: [] })
    const root = electronSwitches('electron', { ...linux, uid: 0 })
    expect(root.switches).toStrictEqual(['--no-sandbox'])
    expect(root.notices).toHaveLength(1)
  })

  it('let it start where there is no display', () => {
    expect(electronSwitches('electron', { ...linux, hasDisplay: false }).switches).toContain('--ozone-platform=headless')
  })

  it('are none for the stand-in, and none elsewhere', () => {
    expect(electronSwitches('standin', { ...linux, uid: 0, hasDisplay: false }).switches).toStrictEqual([])
    expect(electronSwitches('electron', { platform: 'darwin', uid: 0, hasDisplay: true }).switches).toStrictEqual([])
  })
})
