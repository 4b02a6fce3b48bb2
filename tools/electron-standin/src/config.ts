// What the environment says to the stand-in. The only file here that reads process.env on its own behalf.

export interface StandinConfig {
  /** Chromium to use instead of the one that is found. */
  readonly chromium: string | undefined
  /** Windows that nobody sees: asked for, or there is no display to show them on. */
  readonly headless: boolean
  /** Chromium's own log on stderr. */
  readonly debug: boolean
  /** Milestones of the start on stderr, in ms since the process began. */
  readonly timing: boolean
  /** Where the violations are written as JSON when the process ends. `%p` becomes the process id. */
  readonly report: string | undefined
  /** Links, files and the clipboard reach the real desktop; otherwise they are only recorded. */
  readonly desktop: boolean
}

export function readConfig(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): StandinConfig {
  const asked = env['STANDIN_HEADLESS']
  return {
    chromium: env['STANDIN_CHROMIUM'] || undefined,
    headless: asked ? asked !== '0' : platform === 'linux' && !env['DISPLAY'] && !env['WAYLAND_DISPLAY'],
    debug: Boolean(env['STANDIN_DEBUG']),
    timing: Boolean(env['STANDIN_TIMING']),
    report: env['STANDIN_REPORT'] || undefined,
    desktop: env['STANDIN_DESKTOP'] === '1'
  }
}

export const config = readConfig()
