// The two executables: Node, which runs everything here, and the launcher that stands where Electron's binary would.
import { fileURLToPath } from 'node:url'

/** Taken before the entry sets process.execPath to the launcher. */
export const nodePath = process.execPath
export const launcherPath = fileURLToPath(new URL('../dist/electron', import.meta.url))
