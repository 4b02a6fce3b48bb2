// Where Electron keeps things: app.getPath and its overrides.
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { state, violation } from './state.ts'

const overrides = new Map<string, string>()

function appData(): string {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support')
  return process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config')
}

const DEFAULTS: Readonly<Record<string, () => string>> = {
  home: homedir,
  appData,
  assets: () => process.resourcesPath,
  userData: () => join(getPath('appData'), state.info.name),
  sessionData: () => getPath('userData'),
  temp: tmpdir,
  exe: () => process.execPath,
  module: () => process.execPath,
  desktop: () => join(homedir(), 'Desktop'),
  documents: () => join(homedir(), 'Documents'),
  downloads: () => join(homedir(), 'Downloads'),
  music: () => join(homedir(), 'Music'),
  pictures: () => join(homedir(), 'Pictures'),
  videos: () => join(homedir(), 'Videos'),
  logs: () => join(getPath('userData'), 'logs'),
  crashDumps: () => join(getPath('userData'), 'Crashpad')
}

export function getPath(name: string): string {
  const fallback = DEFAULTS[name]
  if (!fallback) throw new Error(`Failed to get '${name}' path`)
  return overrides.get(name) ?? fallback()
}

export function setPath(name: string, path: string): void {
  if (!DEFAULTS[name]) throw new Error(`Failed to set path`)
  if (state.ready && (name === 'userData' || name === 'sessionData'))
    violation(`app.setPath('${name}') after ready: Chromium's profile is elsewhere by then`)
  overrides.set(name, path)
}
