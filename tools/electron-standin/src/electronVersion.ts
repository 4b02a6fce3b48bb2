// The version of Electron that the app is built for: what `electron/package.json` says.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** Looks from the current folder first, then from here. */
export function electronVersion(): string {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return (JSON.parse(readFileSync(createRequire(from).resolve('electron/package.json'), 'utf8')) as { version: string }).version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  return '0.0.0'
}
