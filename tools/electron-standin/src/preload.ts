// The app's preload script: read, checked to be sandboxed CommonJS, and told what `process` is.
import { readFileSync } from 'node:fs'
import type { WebPreferences } from 'electron'
import { checkPreload } from './pageScript.ts'
import type { IsolatedConfig } from './page/protocol.ts'
import { electronEvent, violation } from './state.ts'

export interface PreloadOwner {
  readonly preferences: WebPreferences
  emit(name: string, ...args: unknown[]): boolean
}

/** A preload's text, or null when there is none or it is no sandboxed CommonJS. */
export function readPreload(owner: PreloadOwner): string | null {
  const path = owner.preferences.preload
  if (path === undefined) return null
  try {
    const text = readFileSync(path, 'utf8')
    checkPreload(text, path)
    return text
  } catch (error) {
    reportPreload(owner, path, error as Error)
    return null
  }
}

/** Says and records that a preload failed; the page loads without it, as in Electron. */
export function reportPreload(owner: PreloadOwner, path: string, error: Error): void {
  console.error(`Unable to load preload script: ${path}`)
  console.error(error)
  violation(`preload ${path}: ${error.message}`)
  queueMicrotask(() => owner.emit('preload-error', electronEvent({ sender: owner }), path, error))
}

/** What the isolated world is told. */
export function isolatedConfig(owner: PreloadOwner, names: { binding: string; inbox: string }): IsolatedConfig {
  return {
    ...names,
    preloadPath: owner.preferences.preload ?? null,
    process: {
      platform: process.platform,
      arch: process.arch,
      versions: { ...process.versions },
      pid: 0,
      env: {},
      argv: [process.argv[0] ?? '', '--type=renderer', ...(owner.preferences.additionalArguments ?? [])],
      execPath: process.execPath,
      resourcesPath: process.resourcesPath,
      defaultApp: true,
      cwd: process.cwd(),
      systemVersion: ''
    }
  }
}
