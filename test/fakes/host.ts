// The whole desktop core as it ships, under plain Node: real history, real link, the real service in a child process.
// Only the vault, the settings and the windows are not Electron's.
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { composeDesktop } from '../../src/main/compose.ts'
import { parseConfig } from '../../src/main/config.ts'
import type { Desktop } from '../../src/main/desktop.ts'
import { silentLog } from '../../src/main/log.ts'
import type { ServiceHost, ServiceProcess } from '../../src/main/service/host.ts'
import { createChildServiceHost } from '../../src/main/service/host.child.ts'
import type { Vault } from '../../src/main/auth/vault.ts'
import { defaultSettings } from '../../src/shared/domain.ts'

/** Wraps with a byte of its own: enough to tell sealed from open. */
export const testVault: Vault = {
  kind: 'vault',
  seal: async (secret) => Uint8Array.from(secret, (byte) => byte ^ 0x5a),
  open: async (sealed) => Uint8Array.from(sealed, (byte) => byte ^ 0x5a)
}

export interface HostOptions {
  readonly dataDir: string
  readonly environment?: Readonly<Record<string, string>>
  /** What the person chooses when main asks for a file. */
  readonly file?: () => string | null
}

export interface TestHost extends Desktop {
  /** Ends the embedded service behind the desktop's back. */
  killService(): Promise<void>
}

export async function startHost({ dataDir, environment = {}, file = () => null }: HostOptions): Promise<TestHost> {
  await mkdir(dataDir, { recursive: true })
  const child = createChildServiceHost([execPath, 'src/service/bin/serve.ts'])
  let running: ServiceProcess | null = null
  const host: ServiceHost = { start: (env) => (running = child.start(env)) }
  let settings = { ...defaultSettings, service: { ...defaultSettings.service, findOllama: false } }
  const quiet = async (): Promise<void> => undefined
  const desktop = await composeDesktop({
    config: parseConfig({ ...process.env, ASIDE_DATA_DIR: dataDir, ...environment }, { defaultDataDir: dataDir }),
    log: silentLog,
    vault: testVault,
    settings: { get: () => settings, set: (next) => void (settings = next) },
    shell: {
      showOverlay: quiet,
      hideOverlay: quiet,
      showMain: quiet,
      openExternal: quiet,
      writeClipboard: quiet,
      chooseSaveFile: async () => file(),
      chooseOpenFile: async () => file(),
      apply: quiet,
      status: () => ({ platform: 'linux', captureProtection: 'not-guaranteed', shortcuts: {}, overlayVisible: false }),
      onStatus: () => () => undefined
    },
    host,
    historyWorker: null,
    version: '0.0.0',
    endpoint: { show: null, stop: null }
  })
  return { ...desktop, killService: async () => running?.stop(0) }
}

/** Every byte of every file below the folder, for a look at what is on the disk. */
export async function diskHolds(dataDir: string, files: readonly string[], text: string): Promise<string[]> {
  const found = await Promise.all(files.map(async (name) => ((await readFile(join(dataDir, name))).includes(text) ? [name] : [])))
  return found.flat()
}
