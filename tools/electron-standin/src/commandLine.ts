// Electron's command line: `electron [flags] <app folder or file> [arguments]`. Pure.

export interface CommandLine {
  /** Modules to require before the app (`-r`, `--require`). */
  readonly preloads: string[]
  /** The app's folder or file; undefined: the current folder. */
  readonly entry: string | undefined
  /** Chromium's and the app's switches, before and after the entry. */
  readonly switches: ReadonlyMap<string, string>
  /** Open the inspector: on this port, and wait for a debugger before the app runs. */
  readonly inspect: { readonly port: number; readonly wait: boolean } | null
  readonly version: boolean
}

const SWITCH = /^--([\w-]+)(?:=(.*))?$/s
const DEFAULT_INSPECT_PORT = 9229

function inspectOption(switches: ReadonlyMap<string, string>): CommandLine['inspect'] {
  for (const name of ['inspect', 'inspect-brk']) {
    const value = switches.get(name)
    if (value !== undefined) return { port: value === '' ? DEFAULT_INSPECT_PORT : Number(value.split(':').pop()), wait: name === 'inspect-brk' }
  }
  return null
}

export function parseCommandLine(argv: readonly string[]): CommandLine {
  const preloads: string[] = []
  const words: string[] = []
  let entry: string | undefined
  let version = false
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    if (entry !== undefined) words.push(word)
    else if (word === '-r' || word === '--require') {
      index += 1
      preloads.push(argv[index] ?? '')
    } else if (word === '-v' || word === '--version') version = true
    else if (word.startsWith('-')) words.push(word)
    else entry = word
  }
  const switches = new Map<string, string>()
  for (const word of words) {
    // As for Chromium, nothing after a bare -- is a switch.
    if (word === '--') break
    const [, name, value = ''] = SWITCH.exec(word) ?? []
    if (name !== undefined) switches.set(name, value)
  }
  return { preloads, entry, switches, inspect: inspectOption(switches), version }
}
