// Keeps package-lock.json complete for every platform. npm writes only those optional packages into the lock file that
// the registry at hand has, and `npm ci` then refuses the file. `node tools/check/lockfile.ts` fails on a gap, `--fix`
// fills it: name, exact version and platform, from the package that asks for it.
import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

interface LockedPackage {
  readonly version?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
interface Lockfile {
  packages: Record<string, LockedPackage>
}

const SYSTEMS = new Set(['darwin', 'linux', 'win32', 'android', 'freebsd', 'openharmony', 'netbsd', 'openbsd', 'sunos', 'aix'])
const PROCESSORS = new Set(['x64', 'arm64', 'ia32', 'arm', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32'])
const ALIASES: Readonly<Record<string, string>> = {
  armv7: 'arm',
  armhf: 'arm',
  gnueabihf: 'arm',
  musleabihf: 'arm',
  eabi: 'arm',
  windows: 'win32',
  wasi: 'wasm32'
}

/** What a package's name says of its platform: `@oxlint/binding-linux-arm64-musl`. Empty where it says nothing. */
export function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[^a-z0-9]+/i).map((word) => ALIASES[word] ?? word)
  const os = words.find((word) => SYSTEMS.has(word))
  const cpu = words.find((word) => PROCESSORS.has(word))
  const libc = words.includes('musl') || name.includes('musleabihf') ? 'musl' : words.includes('gnu') || name.includes('gnueabihf') ? 'glibc' : null
  return { ...(os ? { os: [os] } : {}), ...(cpu ? { cpu: [cpu] } : {}), ...(libc && os === 'linux' ? { libc: [libc] } : {}) }
}

/** Optional packages that are asked for with an exact version and have no entry of their own. */
export function gapsIn(packages: Readonly<Record<string, LockedPackage>>): Record<string, LockedPackage> {
  const gaps: Record<string, LockedPackage> = {}
  for (const [path, locked] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(locked.optionalDependencies ?? {})) {
      const places = [`${path}/node_modules/${name}`, `node_modules/${name}`]
      if (!/^\d/.test(version) || places.some((place) => place in packages || place in gaps)) continue
      gaps[`node_modules/${name}`] = { version, ...(locked.dev ? { dev: true } : {}), optional: true, ...platformOf(name) }
    }
  }
  return gaps
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lockfile
  const gaps = gapsIn(lock.packages)
  const names = Object.keys(gaps)
  if (names.length === 0) console.log('lock file: complete for every platform')
  else if (argv.includes('--fix')) {
    lock.packages = Object.fromEntries(Object.entries({ ...lock.packages, ...gaps }).sort(([a], [b]) => (a < b ? -1 : 1)))
    writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
    console.log(`lock file: ${names.length} entries added`)
  } else {
    console.error(`package-lock.json lacks ${names.length} optional packages, such as ${names[0]}: "npm ci" would refuse it. Run "npm run lockfile".`)
    process.exitCode = 1
  }
}
