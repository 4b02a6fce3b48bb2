// Small files that only their owner may read, written whole or not at all, and durably.
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Randomness } from './sealing.ts'
import { syncFolder } from './sqlite/files.ts'

export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
}

/** Replaces the file. `prove` gets what was written, as it is read again, and throws to leave the old file where it is. */
export async function writePrivateFile(file: string, content: string, random: Randomness, prove?: (written: string) => Promise<void>): Promise<void> {
  await withDraft(file, content, random, async (draft) => {
    await prove?.(await readFile(draft, 'utf8'))
    await rename(draft, file)
    syncFolder(dirname(file))
  })
}

/** Makes the file, and never takes the name from another. False: there was one. */
export async function linkPrivateFile(file: string, content: string, random: Randomness): Promise<boolean> {
  return withDraft(file, content, random, async (draft) => {
    try {
      await link(draft, file)
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false
      if (!isCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR', 'EMLINK')) throw error
      // A file system without hard links, such as FAT: renaming is as whole, and there was no such file a moment ago.
      await rename(draft, file)
    }
    syncFolder(dirname(file))
    return true
  })
}

async function withDraft<T>(file: string, content: string, random: Randomness, use: (draft: string) => Promise<T>): Promise<T> {
  const draft = `${file}.${Buffer.from(random(6)).toString('hex')}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    return await use(draft)
  } finally {
    await rm(draft, { force: true })
  }
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}
