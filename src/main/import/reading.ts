// Reads a file to be imported from end to end: which records it makes, what will be left out, and what it is, all checked.
// Reading it a second time gives the same; the checksum proves that it was the same file.
import { createHash } from 'node:crypto'
import { CopilotError } from '../../shared/errors.ts'
import type { HistoryRecord } from '../history/records.ts'
import { MAX_INDEXED_CHARACTERS } from '../history/bulk.ts'
import { ASIDE_RECORDS, createAsideReader } from './asideFile.ts'
import { badFile } from './badFile.ts'
import { chatgptConversation } from './chatgptFile.ts'
import { createJsonSplitter, parseJson, type JsonPart } from './jsonSplitter.ts'
import { createRemarks, type Remarks } from './remarks.ts'
import { openSourceFile, type SourceFile } from './sourceFile.ts'
import { openZip } from './zipEntries.ts'

/** One conversation; the largest known are some tens of megabytes. */
const MAX_PART_BYTES = 64 * 1_048_576
const MAX_DEPTH = 100
/** Sessions of one import: their ids are kept in memory while it is read. */
const MAX_SESSIONS = 1_000_000

export interface Reading {
  readonly source: 'aside' | 'chatgpt'
  readonly sessions: number
  readonly messages: number
  /** Unix ms; null without a message. */
  readonly from: number | null
  readonly to: number | null
  readonly remarks: readonly string[]
  /** Of the JSON that was read. */
  readonly sha256: string
  readonly sessionIds: readonly string[]
}

export interface Batch {
  readonly records: readonly HistoryRecord[]
  /** Of the file, bytes read and in all, packed or unpacked as it was looked at. */
  readonly done: number
  readonly total: number
}

export interface ReadOptions {
  /** Characters of text in one batch, more or less. */
  readonly batchCharacters?: number
  readonly maxPartBytes?: number
}

/**
 * Yields the records in batches and returns what the file is.
 * @throws CopilotError `invalid_request` and others of badFile.ts and sourceFile.ts, with a sentence for people
 */
export async function* readImport(path: string, options: ReadOptions = {}): AsyncGenerator<Batch, Reading> {
  const file = openSourceFile(path)
  try {
    const reading = yield* readFile(file, options)
    file.checkUnchanged()
    return reading
  } catch (error) {
    // What it says of a file that is being written is not the file's fault.
    if (error instanceof CopilotError && error.code === 'invalid_request') file.checkUnchanged()
    throw error
  } finally {
    file.close()
  }
}

async function* readFile(
  file: SourceFile,
  { batchCharacters = 500_000, maxPartBytes = MAX_PART_BYTES }: ReadOptions
): AsyncGenerator<Batch, Reading> {
  const zip = file.kind === 'zip' ? await openZip(file.fd) : null
  const total = zip?.totalBytes ?? file.sizeBytes
  const remarks = createRemarks()
  const reader = file.kind === 'object' ? asideReader() : chatgptReader(remarks)
  const collected = createCollector(remarks)
  const hash = createHash('sha256')
  let records: HistoryRecord[] = []
  let characters = 0
  let done = 0
  for await (const content of zip?.contents() ?? [file.chunks()]) {
    const splitter = createJsonSplitter({ listName: ASIDE_RECORDS, maxPartBytes, maxDepth: MAX_DEPTH })
    for await (const chunk of content) {
      hash.update(chunk)
      done += chunk.length
      for (const part of splitter.push(chunk)) {
        for (const record of collected.add(reader.read(part))) {
          records.push(record)
          characters += sizeOf(record)
          if (characters < batchCharacters) continue
          yield { records, done, total }
          records = []
          characters = 0
        }
      }
    }
    splitter.end()
  }
  reader.end()
  yield { records, done, total }
  return { source: reader.source, ...collected.end(), sha256: hash.digest('hex') }
}

interface PartReader {
  readonly source: Reading['source']
  read(part: JsonPart): readonly HistoryRecord[]
  end(): void
}

function asideReader(): PartReader {
  const reader = createAsideReader()
  return {
    source: 'aside',
    read(part) {
      const record = reader.read(part)
      return record === null ? [] : [record]
    },
    end: () => reader.end()
  }
}

function chatgptReader(remarks: Remarks): PartReader {
  let [parts, conversations] = [0, 0]
  return {
    source: 'chatgpt',
    read({ bytes }) {
      parts += 1
      const records = chatgptConversation(parseJson(bytes), remarks) ?? []
      if (records.length > 0) conversations += 1
      return records
    },
    end() {
      if (parts === 0) throw badFile('This export of ChatGPT holds no conversation.')
      if (conversations === 0)
        throw badFile('No conversation in this file is one that Aside can read. It may be no export of ChatGPT, or of a format that is too new.')
    }
  }
}

interface Collector {
  /** Without the sessions that the file holds twice. */
  add(records: readonly HistoryRecord[]): readonly HistoryRecord[]
  end(): Omit<Reading, 'source' | 'sha256'>
}

function createCollector(remarks: Remarks): Collector {
  const sessionIds = new Set<string>()
  let isRepeated = false
  let messages = 0
  let from: number | null = null
  let to: number | null = null

  function isWanted(record: HistoryRecord): boolean {
    switch (record.kind) {
      case 'session':
        isRepeated = sessionIds.has(record.id)
        if (isRepeated) remarks.count('known')
        if (sessionIds.size >= MAX_SESSIONS) throw badFile('This file holds more than a million sessions.')
        sessionIds.add(record.id)
        return !isRepeated
      case 'turn':
        return !isRepeated
      case 'message':
        if (isRepeated) return false
        messages += 1
        from = Math.min(from ?? record.createdAt, record.createdAt)
        to = Math.max(to ?? record.createdAt, record.createdAt)
        if (record.text.length > MAX_INDEXED_CHARACTERS) remarks.count('longText')
        return true
      case 'usage':
        return true
    }
  }

  return {
    add: (records) => records.filter(isWanted),
    end: () => ({ sessions: sessionIds.size, messages, from, to, remarks: remarks.sentences(), sessionIds: [...sessionIds] })
  }
}

function sizeOf(record: HistoryRecord): number {
  return 500 + (record.kind === 'message' ? record.text.length : record.kind === 'session' ? record.notes.length : 0)
}
