// Writes a file that is there whole or not at all: beside its place under another name, made durable, then moved into place.
import { open as openFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CopilotError } from '../../shared/errors.ts'
import type { NewId } from '../../shared/kit/clock.ts'

export interface WholeFileOptions {
  readonly newId: NewId
  readonly signal: AbortSignal
  /** Opens the file beside; another one than the file system's only in tests of its failures. */
  readonly open?: (path: string) => Promise<FileHandle>
}

/** `wx`: never into a file, or through a link, that somebody put there. Its owner alone may read it. */
const openNew = (path: string): Promise<FileHandle> => openFile(path, 'wx', 0o600)

/**
 * What was there before stays until the new one is whole.
 * @throws CopilotError `unavailable` when it can't be written, `cancelled`; nothing is left behind then
 */
export async function writeWhole(
  path: string,
  content: AsyncIterable<Uint8Array>,
  { newId, signal, open = openNew }: WholeFileOptions
): Promise<void> {
  const beside = join(dirname(path), `.aside-${newId()}.part`)
  try {
    const file = await open(beside)
    try {
      for await (const piece of content) {
        signal.throwIfAborted()
        await file.writeFile(piece)
      }
      signal.throwIfAborted()
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(beside, { force: true })
    throw writingError(error)
  }
}

/** The new name is durable when its folder is. */
async function syncFolder(path: string): Promise<void> {
  // Windows has no way to do this for a folder.
  if (process.platform === 'win32') return
  const folder = await openFile(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full. Free some space, or choose another place.',
  EDQUOT: 'Your quota on this disk is used up. Free some space, or choose another place.',
  EACCES: 'Aside may not write there. Choose another folder.',
  EPERM: 'Aside may not write there. Choose another folder.',
  EROFS: 'This disk is read-only. Choose another place.',
  EISDIR: 'There is a folder of this name. Choose another name.',
  ENOENT: 'This folder is no longer there. Choose another place.',
  ENOTDIR: 'This folder is no longer there. Choose another place.',
  ENAMETOOLONG: 'This name is too long. Choose a shorter one.',
  EIO: 'The disk failed while it was written. Choose another place.',
  EFBIG: 'This disk can’t hold a file of this size. Choose another place.'
}

function writingError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const words = WORDS[code]
  return words === undefined
    ? error
    : new CopilotError('unavailable', `The export was not written. ${words} The history is unchanged.`, { cause: error })
}
