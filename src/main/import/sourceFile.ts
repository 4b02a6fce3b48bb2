// Opens the file that a person chose: only a plain file, without waiting for anybody, and tells what it is by its first bytes.
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { CopilotError } from '../../shared/errors.ts'
import { badFile } from './badFile.ts'

/** `list` and `object`: JSON that begins so. */
export type FileKind = 'zip' | 'list' | 'object'

export interface SourceFile {
  readonly fd: number
  readonly sizeBytes: number
  readonly kind: FileKind
  /** The file from its beginning, without a byte order mark; a chunk is valid until the next. */
  chunks(): Generator<Uint8Array>
  /** @throws CopilotError `conflict` when it is no longer the file that was opened. */
  checkUnchanged(): void
  close(): void
}

const CHUNK_BYTES = 262_144
const HEAD_BYTES = 64

/** Whoever opens it closes it. @throws CopilotError `invalid_request`, `not_found`, `forbidden` */
export function openSourceFile(path: string): SourceFile {
  const fd = opened(path)
  try {
    const stats = fstatSync(fd)
    if (stats.isDirectory()) throw badFile('This is a folder. Choose the zip, or the JSON file inside.')
    if (!stats.isFile()) throw badFile('This is no file but a pipe or a device.')
    if (stats.size === 0) throw badFile('This file is empty.')
    const { kind, skip } = kindOf(headOf(fd))
    return {
      fd,
      sizeBytes: stats.size,
      kind,
      chunks: () => chunksOf(fd, skip),
      checkUnchanged() {
        if (!isSame(stats, fstatSync(fd))) {
          throw new CopilotError(
            'conflict',
            'The file changed while it was read. Nothing was imported; wait until it is written, then import it again.'
          )
        }
      },
      close: () => closeSync(fd)
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function opened(path: string): number {
  try {
    // Without O_NONBLOCK, opening a pipe waits until somebody writes to it.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code === 'ENOENT') throw new CopilotError('not_found', 'This file is no longer there. Nothing was imported.', { cause: error })
    if (code === 'EACCES' || code === 'EPERM') {
      throw new CopilotError('forbidden', 'Aside may not read this file. Nothing was imported; check its permissions, then try again.', {
        cause: error
      })
    }
    throw badFile('This file can’t be opened.', error)
  }
}

function headOf(fd: number): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES)
  return head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0))
}

function isSame(before: Stats, after: Stats): boolean {
  return before.size === after.size && before.mtimeMs === after.mtimeMs && before.ino === after.ino && before.dev === after.dev
}

/** `skip`: bytes before the text. */
function kindOf(head: Uint8Array): { readonly kind: FileKind; readonly skip: number } {
  const startsWith = (...bytes: number[]): boolean => bytes.every((byte, at) => head[at] === byte)
  if (startsWith(0x50, 0x4b, 0x03, 0x04) || startsWith(0x50, 0x4b, 0x05, 0x06)) return { kind: 'zip', skip: 0 }
  if (startsWith(0xff, 0xfe) || startsWith(0xfe, 0xff) || head.subarray(0, 4).includes(0)) {
    throw badFile('This file is written in UTF-16 or is no text. Save it as UTF-8, or export it again.')
  }
  const skip = startsWith(0xef, 0xbb, 0xbf) ? 3 : 0
  const first = head.subarray(skip).find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
  if (first === 0x5b) return { kind: 'list', skip }
  if (first === 0x7b) return { kind: 'object', skip }
  throw badFile('Aside imports its own JSON exports and the zip or conversations.json that ChatGPT sends. This file is neither.')
}

function* chunksOf(fd: number, from: number): Generator<Uint8Array> {
  for (let position = from; ;) {
    // A buffer of its own for each: what is cut across two chunks is kept.
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    const read = readSync(fd, chunk, 0, CHUNK_BYTES, position)
    if (read === 0) return
    position += read
    yield chunk.subarray(0, read)
  }
}
