// The folder of documents: `<folder>/<client>/…`; what lies beside the clients' folders is for all of them.
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { kindOf } from './reading/reading.ts'

export interface FoundFile {
  /** Empty: for every client. */
  readonly client: string
  /** Below the client's folder, with `/`. */
  readonly name: string
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedAt: number
}

export interface FoundFiles {
  readonly files: readonly FoundFile[]
  /** Names with their endings that can't be read; empty for what every system leaves lying about. */
  readonly others: readonly string[]
  /** Clients whose folders could not be listed as a whole: nothing of theirs is known to be gone. */
  readonly unlisted: readonly string[]
}

const DEEPEST = 20
const MOST_FILES = 20_000
/** Hidden files, and those that Word and editors hold open. */
const PASSING = /^(?:\.|~\$)|^(?:Thumbs\.db|desktop\.ini)$|~$/i

/** Rejects when the folder itself can't be read, or the signal is aborted. Links are not followed. */
export async function findFiles(folder: string, signal: AbortSignal): Promise<FoundFiles> {
  const files: FoundFile[] = []
  const others: string[] = []
  const unlisted: string[] = []

  const take = async (entry: Dirent, path: string, client: string, below: string): Promise<void> => {
    if (!entry.isFile() || PASSING.test(entry.name)) return
    const name = below === '' ? entry.name : `${below}/${entry.name}`
    if (kindOf(entry.name) === null) return void others.push(client === '' ? name : `${client}/${name}`)
    if (files.length >= MOST_FILES) return void unlisted.push(client)
    const stats = await stat(path)
    files.push({ client, name, path, sizeBytes: stats.size, modifiedAt: Math.trunc(stats.mtimeMs) })
  }
  const walk = async (path: string, client: string, below: string, depth: number): Promise<void> => {
    signal.throwIfAborted()
    try {
      for (const entry of (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const inner = join(path, entry.name)
        if (!entry.isDirectory()) await take(entry, inner, client, below)
        else if (!entry.name.startsWith('.')) {
          if (depth >= DEEPEST) unlisted.push(client)
          else await walk(inner, client, below === '' ? entry.name : `${below}/${entry.name}`, depth + 1)
        }
      }
    } catch (error) {
      if (!isFileFault(error)) throw error
      unlisted.push(client)
    }
  }

  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !entry.name.startsWith('.')) await walk(path, entry.name, '', 1)
    else await take(entry, path, '', '')
  }
  return { files, others, unlisted }
}

/** A fault of the file system, not of the program. */
export function isFileFault(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)
}
