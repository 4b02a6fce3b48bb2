// What is installed, and what is said instead, without touching the system.
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { command, foreignPeers, hasPostgres, provision, pythonModule, sharedServers, type ProvisionOptions, type Requirement } from './provision.ts'

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n'
const UBUNTU = 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n'
const FEDORA = 'NAME="Fedora Linux"\nID=fedora\n'

/** A requirement that is there once its package was installed. */
function missing(name: string, installed: Set<string>): Requirement {
  return { name, packages: [`${name}-package`], isThere: () => installed.has(`${name}-package`) }
}

function machine(options: ProvisionOptions & { installs?: boolean } = {}) {
  const { installs = true, ...rest } = options
  const installed = new Set<string>()
  const ran: string[] = []
  const said: string[] = []
  const run = async (name: string, args: readonly string[]): Promise<void> => {
    ran.push([name, ...args].join(' '))
    if (installs && args[0] === 'install') for (const arg of args) installed.add(arg)
  }
  return { installed, ran, said, options: { uid: 0, osRelease: DEBIAN, servicePolicy, run, say: (line: string) => void said.push(line), ...rest } }
}

const folder = mkdtempSync(join(tmpdir(), 'aside-provision-'))
const servicePolicy = join(folder, 'policy-rc.d')
afterAll(() => rmSync(folder, { recursive: true }))

describe('provisioning', () => {
  it('does and says nothing when all is there', async () => {
    const { options, ran, said } = machine()
    await provision([{ name: 'shell', packages: ['dash'], isThere: () => true }], options)
    expect([ran, said]).toStrictEqual([[], []])
  })

  it.each([DEBIAN, UBUNTU])('installs only what is missing, as root on Debian and Ubuntu, with one line', async (osRelease) => {
    const { options, ran, said, installed } = machine({ osRelease })
    await provision([missing('one', installed), { name: 'there', packages: ['there'], isThere: () => true }, missing('two', installed)], options)
    expect(ran).toStrictEqual(['apt-get update', 'apt-get install -y --no-install-recommends one-package two-package'])
    expect(said).toStrictEqual(['Installing one-package two-package with apt-get (once) …'])
  })

  it.each([
    ['an ordinary user', { uid: 1000 }, 'sudo apt-get install one-package'],
    ['another system', { osRelease: FEDORA }, "by your system's package manager"],
    ['no Linux at all', { osRelease: '', uid: 501 }, "by your system's package manager"]
  ])('for %s says in one line what to install', async (_who, who, advice) => {
    const { options, ran, installed } = machine(who)
    await expect(provision([missing('one', installed)], options)).rejects.toThrow(advice)
    expect(ran).toStrictEqual([])
  })

  it('says what is still missing when apt-get did not bring it', async () => {
    const { options, installed } = machine({ installs: false })
    await expect(provision([missing('one', installed)], options)).rejects.toThrow('still missing: one')
  })

  it('lets no package start its service, and leaves a policy of the machine as it is', async () => {
    const seen: boolean[] = []
    const look = async (): Promise<void> => {
      seen.push(existsSync(servicePolicy) && (statSync(servicePolicy).mode & 0o111) !== 0)
      if (seen.length === 2) throw new Error('no such package')
    }
    const { options, installed } = machine({ run: look })
    await expect(provision([missing('one', installed)], options)).rejects.toThrow('no such package')
    expect([seen, existsSync(servicePolicy)]).toStrictEqual([[false, true], false])
    writeFileSync(servicePolicy, '')
    const kept = machine()
    await provision([missing('one', kept.installed)], kept.options)
    expect(existsSync(servicePolicy)).toBe(true)
    rmSync(servicePolicy)
  })

  it('finds PostgreSQL in the folder of whichever version', () => {
    expect(hasPostgres(join(folder, 'nowhere'))).toBe(false)
    mkdirSync(join(folder, '15', 'bin'), { recursive: true })
    expect(hasPostgres(folder)).toBe(false)
    writeFileSync(join(folder, '15', 'bin', 'postgres'), '', { mode: 0o755 })
    expect(hasPostgres(folder)).toBe(true)
    expect(sharedServers.flatMap(({ packages }) => packages)).toStrictEqual(['redis-server', 'postgresql', 'nginx-light'])
  })

  it('finds programs and Python modules by themselves', () => {
    expect(command('sh', ['dash']).isThere()).toBe(true)
    expect(command('no-such-program-anywhere', ['x']).isThere()).toBe(false)
    expect(pythonModule('no_such_module_anywhere', ['x']).isThere()).toBe(false)
    expect(foreignPeers.flatMap(({ packages }) => packages)).toStrictEqual([
      'python3-grpcio',
      'python3-socketio',
      'python3-aiohttp',
      'python3-websockets'
    ])
  })
})
