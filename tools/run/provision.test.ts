// What is installed, and what is said instead, without touching the system.
import { describe, expect, it } from 'vitest'
import { command, foreignPeers, provision, pythonModule, type ProvisionOptions, type Requirement } from './provision.ts'

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
  return { installed, ran, said, options: { uid: 0, osRelease: DEBIAN, run, say: (line: string) => void said.push(line), ...rest } }
}

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
