// The one Chromium behind the app's windows. It is launched by the first thing that needs it, and again if it went away:
// a host without windows runs on a machine that has no Chromium.
import { join } from 'node:path'
import { findChromium, launchChromium, type Chromium } from './chromium.ts'
import { config } from './config.ts'
import { createOrigins, originToken, type Origins } from './origins.ts'
import { getPath } from './paths.ts'
import { schemeHandler } from './protocol.ts'
import { startSchemeServer } from './schemeServer.ts'
import { state } from './state.ts'
import { watchTargets, type Targets } from './targets.ts'

export interface Browser extends Chromium {
  readonly origins: Origins
  readonly targets: Targets
}

export const NO_CHROMIUM =
  'A window needs Chromium and there is none: install it (Debian, Ubuntu: apt-get install chromium), or name one in STANDIN_CHROMIUM. Without windows Aside runs without it.'

/** A missing Chromium, as opposed to one that does not start. */
export class ChromiumMissing extends Error {
  override readonly name = 'ChromiumMissing'
}

let running: Browser | null = null
let launched = false
let starting: Promise<Browser> | null = null
let origins: Promise<{ origins: Origins; port: number }> | null = null

/** The browser if there is one already. */
export const runningBrowser = (): Browser | null => running

/** Whether there has ever been one in this process. */
export const wasLaunched = (): boolean => launched

async function serveOrigins(): Promise<{ origins: Origins; port: number }> {
  const own = createOrigins(`${originToken(getPath('userData'))}.localhost`, (scheme) => state.schemes.has(scheme))
  return { origins: own, port: await startSchemeServer(own, schemeHandler) }
}

async function launch(): Promise<Browser> {
  const executable = findChromium(config.chromium)
  if (executable === undefined) throw new ChromiumMissing(NO_CHROMIUM)
  origins ??= serveOrigins()
  const { origins: own, port } = await origins
  const chromium = await launchChromium({
    executable,
    profile: join(getPath('sessionData'), 'standin-profile'),
    headless: config.headless,
    debug: config.debug,
    appName: state.info.name,
    hostRules: `MAP *.${own.suffix} 127.0.0.1:${port}`,
    switches: state.switches
  })
  const targets = await watchTargets(chromium.cdp, { runAtOnce: !chromium.headless })
  const browser: Browser = { ...chromium, origins: own, targets }
  running = browser
  launched = true
  process.once('exit', browser.kill)
  chromium.cdp.gone.addEventListener('abort', () => {
    process.off('exit', browser.kill)
    running = null
    starting = null
  })
  return browser
}

/**
 * The browser, launched if need be.
 * @throws ChromiumMissing, or Error with the end of Chromium's log
 */
export function ensureBrowser(): Promise<Browser> {
  starting ??= launch().catch((error: unknown) => {
    starting = null
    throw error
  })
  return starting
}
