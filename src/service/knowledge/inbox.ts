// Where uploads lie until they are read: as wholes under their document's id, or as parts that are still coming in.
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CopilotError } from '../../shared/errors.ts'
import { cleanText } from '../../shared/kit/text.ts'
import { kindOf } from './reading/reading.ts'

const LONGEST_NAME = 300
const LONGEST_CLIENT = 200
const PART = '.part'

export async function arrivalPath(inbox: string, id: string): Promise<string> {
  await mkdir(inbox, { recursive: true, mode: 0o700 })
  return join(inbox, `${id}${PART}`)
}

/** What a crash left half. */
export async function removeArrivals(inbox: string): Promise<void> {
  for (const name of await readdir(inbox).catch(noFolder)) if (name.endsWith(PART)) await rm(join(inbox, name), { force: true })
}

export function uploadPath(inbox: string, id: string): string {
  return join(inbox, id)
}

/** Durable when it resolves with its size. Throws `context_too_large`, `invalid_request`. */
export async function save(content: AsyncIterable<Uint8Array>, path: string, mostBytes: number, signal: AbortSignal): Promise<number> {
  let size = 0
  const bounded = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      size += chunk.byteLength
      if (size > mostBytes) {
        throw new CopilotError(
          'context_too_large',
          `The document is larger than ${Math.round(mostBytes / 1_048_576)} MB. Nothing was taken; divide it.`
        )
      }
      yield chunk
    }
  }
  await pipeline(Readable.from(bounded()), createWriteStream(path, { mode: 0o600, flush: true }), { signal })
  if (size === 0) throw invalid('The document is empty.')
  return size
}

export function checkedClient(raw: string): string {
  const client = cleanText(raw).replace(/\s+/g, ' ').trim()
  if (client.length > LONGEST_CLIENT) throw invalid(`The client’s name is longer than ${LONGEST_CLIENT} characters.`)
  return client
}

/** The file's own name, whatever folders came with it. */
export function checkedName(raw: string): string {
  const name = cleanText(raw).replace(/\s+/g, ' ').trim().split(/[/\\]/).at(-1) ?? ''
  if (name === '' || name.length > LONGEST_NAME) throw invalid(`The document needs a name of at most ${LONGEST_NAME} characters.`)
  if (kindOf(name) === null) {
    throw invalid('Documents of this kind can’t be read. Taken are Markdown, HTML, PDF, DOCX, CSV and text, told by the ending of the name.')
  }
  return name
}

function noFolder(error: unknown): string[] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
  throw error
}

function invalid(message: string): CopilotError {
  return new CopilotError('invalid_request', message)
}
