// The app's entry under Electron: lifecycle only. What must happen before `ready` happens in the static part below.
import { join } from 'node:path'
import { app, session } from 'electron'
import { composeDesktop, type ComposeOptions } from '../compose.ts'
import { readConfig, type Config } from '../config.ts'
import { ensureDataDir } from '../dataDir.ts'
import type { Desktop } from '../desktop.ts'
import { createStderrLog } from '../log.stderr.ts'
import type { Shell } from '../shell.ts'
import { LINK_SCHEME, parseLaunch } from '../windows/commandLine.ts'
import { createUtilityServiceHost } from './host.utility.ts'
import { registerAppScheme } from './protocol.ts'
import { createSettingsStore } from './settings.electronStore.ts'
import { createSafeStorageVault } from './vault.safeStorage.ts'
import { runWindowed } from './windowed.ts'
import { runWindowless } from './windowless.ts'

const config = configure()
const log = createStderrLog(config.logLevel)
app.setPath('userData', config.dataDir)
const launch = parseLaunch(process.argv.slice(1))

if (app.requestSingleInstanceLock()) {
  registerAppScheme()
  app.whenReady().then(run).catch(fail)
} else {
  // The app that runs gets this command line as a second instance; there is nothing more to do here.
  app.quit()
}

/** Reads the environment and makes the data folder; what is wrong with them ends the app with one sentence. */
function configure(): Config {
  try {
    const read = readConfig({ defaultDataDir: app.getPath('userData') })
    ensureDataDir(read.dataDir)
    return read
  } catch (error) {
    tell(error)
    process.exit(1)
  }
}

function tell(error: unknown): void {
  process.stderr.write(`Aside could not start: ${error instanceof Error ? error.message : String(error)}\n`)
}

function fail(error: unknown): void {
  log.error('app.start', { error })
  tell(error)
  app.exit(1)
}

async function run(): Promise<void> {
  session.defaultSession.setPermissionRequestHandler((_page, _permission, answer) => answer(false))
  session.defaultSession.setPermissionCheckHandler(() => false)
  if (app.isPackaged) app.setAsDefaultProtocolClient(LINK_SCHEME)
  const settings = createSettingsStore(config.dataDir, log)

  /** The core starts while the window is being made; `shell` is what it will speak to. */
  const compose = async (shell: Shell, more: Pick<ComposeOptions, 'endpoint'>): Promise<Desktop> => {
    const desktop = await composeDesktop({
      config,
      log,
      shell,
      settings,
      vault: await createSafeStorageVault(process.platform),
      host: createUtilityServiceHost(join(import.meta.dirname, 'service.js')),
      historyWorker: join(import.meta.dirname, 'historyWorker.js'),
      version: app.getVersion(),
      ...more
    })
    stopOnQuit(desktop)
    return desktop
  }
  if (launch.windows) await runWindowed({ compose, config, log, settings, launch })
  else await runWindowless({ compose, exitWhenIdle: launch.exitWhenIdle })
}

/** Quitting waits until streams have let go and the history is closed. */
function stopOnQuit(desktop: Desktop): void {
  let stopped = false
  app.on('will-quit', (event) => {
    if (stopped) return
    event.preventDefault()
    desktop
      .stop()
      .catch((error: unknown) => log.error('app.stop', { error }))
      .finally(() => {
        stopped = true
        app.quit()
      })
  })
}
