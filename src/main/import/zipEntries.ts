// The conversations inside the zip that ChatGPT sends. Entries are only read, never written anywhere, so their names can do
// no harm; a name that tries to, a lock, a bomb or a broken archive refuses the whole file.
import { crc32 } from 'node:zlib'
import { fromFdPromise, type Entry } from 'yauzl'
import { CopilotError } from '../../shared/errors.ts'
import { badFile } from './badFile.ts'

/** What is unpacked in all; the largest exports known are some hundred megabytes. */
export const MAX_UNPACKED_BYTES = 8 * 1_073_741_824
/** Text shrinks by 4 to 20; deflate can't do more than 1,032, which only a bomb does. */
const MAX_RATIO = 200
/** Below this size the ratio says nothing. */
const RATIO_FROM_BYTES = 16 * 1_048_576
const MAX_ENTRIES = 200_000

/** `conversations.json`, or the parts `conversations-000.json` of a large account, in whatever folder. */
const CONVERSATIONS = /(?:^|\/)conversations(?:-\d+)?\.json$/i

export interface ZipEntries {
  /** Unpacked, bytes. */
  readonly totalBytes: number
  /** One stream for each file, in the order of their names. Whoever iterates reads each to its end. */
  contents(): AsyncGenerator<AsyncIterable<Uint8Array>>
}

/** `fd` stays open and the caller's. @throws CopilotError `invalid_request` */
export async function openZip(fd: number): Promise<ZipEntries> {
  try {
    const zip = await fromFdPromise(fd, { autoClose: false, lazyEntries: true, strictFileNames: false })
    if (zip.entryCount > MAX_ENTRIES) throw badFile('This archive holds more files than any export of ChatGPT.')
    const entries: Entry[] = []
    for await (const entry of zip.eachEntry()) if (CONVERSATIONS.test(entry.fileName)) entries.push(entry)
    entries.sort((a, b) => (a.fileName < b.fileName ? -1 : 1))
    if (entries.length === 0) {
      throw badFile('There is no conversations.json in this archive. Choose the zip that ChatGPT sent, as it came.')
    }
    for (const entry of entries) check(entry)
    const totalBytes = entries.reduce((sum, entry) => sum + entry.uncompressedSize, 0)
    if (totalBytes > MAX_UNPACKED_BYTES) throw badFile('This archive unpacks to more than 8 GB, which no export of ChatGPT does.')
    return {
      totalBytes,
      async *contents() {
        for (const entry of entries) yield checked(await zip.openReadStreamPromise(entry).catch(brokenArchive), entry.crc32)
      }
    }
  } catch (error) {
    return brokenArchive(error)
  }
}

function check(entry: Entry): void {
  if (entry.isEncrypted()) throw badFile('This archive is protected by a password. Unpack it, then import its conversations.json.')
  const { compressedSize, uncompressedSize } = entry
  if (uncompressedSize > RATIO_FROM_BYTES && uncompressedSize > compressedSize * MAX_RATIO) {
    throw badFile('This archive unpacks to far more than it could honestly hold.')
  }
}

/** yauzl checks the sizes; whether the content is what was packed, its checksum tells. */
async function* checked(stream: AsyncIterable<Uint8Array>, expected: number): AsyncGenerator<Uint8Array> {
  let sum = 0
  try {
    for await (const chunk of stream) {
      sum = crc32(chunk, sum)
      yield chunk
    }
  } catch (error) {
    brokenArchive(error)
  }
  if (sum !== expected) brokenArchive(new Error('The checksum of an entry is wrong'))
}

function brokenArchive(error: unknown): never {
  if (error instanceof CopilotError) throw error
  throw badFile('This archive is damaged, incomplete, or of a kind that Aside can’t read. Download it again.', error)
}
