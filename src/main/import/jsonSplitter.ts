// Cuts a JSON text of any size into its elements without building it up in memory: the elements of a top-level list, or the
// members of a top-level object, of which one may be a list that is cut as well. Only looks for the edges; whether an
// element is JSON inside is found out by whoever parses it.
import { badFile } from './badFile.ts'

export interface JsonPart {
  /** The member's name; null for an element of the list. */
  readonly name: string | null
  /** Valid until the next `push`. */
  readonly bytes: Uint8Array
}

export interface JsonSplitter {
  /** Parts that ended in this chunk. @throws CopilotError `invalid_request` for what is no JSON, too large or too deep. */
  push(chunk: Uint8Array): JsonPart[]
  /** @throws CopilotError `invalid_request` when the text is not complete. */
  end(): void
}

export interface JsonSplitterOptions {
  /** The member of a top-level object whose list is cut into elements. */
  readonly listName: string
  readonly maxPartBytes: number
  readonly maxDepth: number
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

const NOT_JSON = 'This file is not JSON, or is damaged. Export it again.'
const TRUNCATED = 'This file ends in the middle: it was not copied or downloaded whole. Copy or export it again.'

/** Where the next byte stands outside of elements. `value`: an element may begin; `after`: it has ended; `end`: all has. */
type Place = 'start' | 'first' | 'value' | 'after' | 'end'

export function createJsonSplitter({ listName, maxPartBytes, maxDepth }: JsonSplitterOptions): JsonSplitter {
  let place: Place = 'start'
  /** Containers around the elements that are cut out: their closing bytes. */
  const around: number[] = []
  /** Containers that are open within the present part. */
  let depth = 0
  let inString = false
  let escaped = false
  let inPart = false
  /** Of the present part, from earlier chunks. */
  let kept: Uint8Array[] = []
  let keptBytes = 0
  /** Of the member whose value comes; null: its name is next. */
  let name: string | null = null
  let cutList = false

  const inObject = (): boolean => around.at(-1) === CLOSE_OBJECT

  function keep(bytes: Uint8Array): void {
    keptBytes += bytes.length
    if (keptBytes > maxPartBytes) {
      throw badFile(`One entry of this file is larger than ${Math.floor(maxPartBytes / 1_048_576)} MB, which no conversation is.`)
    }
    kept.push(bytes)
  }

  function taken(): Uint8Array {
    const bytes = kept.length === 1 ? (kept[0] as Uint8Array) : Buffer.concat(kept)
    kept = []
    keptBytes = 0
    return bytes
  }

  /** The index behind the string's end, or the chunk's length. A quote ends it unless an odd run of backslashes stands before. */
  function skipString(chunk: Uint8Array, from: number): number {
    for (let at = from; ;) {
      const quote = chunk.indexOf(QUOTE, at)
      const stop = quote === -1 ? chunk.length : quote
      let slashes = 0
      while (stop - slashes > from && chunk[stop - slashes - 1] === BACKSLASH) slashes += 1
      // The run may have begun in the chunk before.
      const isOdd = (slashes + (stop - slashes === from && escaped ? 1 : 0)) % 2 === 1
      if (quote === -1) {
        escaped = isOdd
        return chunk.length
      }
      at = quote + 1
      if (isOdd) continue
      escaped = false
      inString = false
      return at
    }
  }

  function deeper(): void {
    depth += 1
    if (depth > maxDepth) throw badFile(`This file is nested more than ${maxDepth} levels deep, which no conversation is.`)
  }

  function push(chunk: Uint8Array): JsonPart[] {
    const parts: JsonPart[] = []
    /** Where the present part begins in this chunk. */
    let from = 0

    function endPart(to: number): void {
      keep(chunk.subarray(from, to))
      inPart = false
      if (inObject() && name === null) {
        name = nameOf(taken())
        place = 'after'
        return
      }
      parts.push({ name, bytes: taken() })
      name = null
      place = 'after'
    }

    for (let at = 0; at < chunk.length; at += 1) {
      if (inString) {
        at = skipString(chunk, at) - 1
        if (!inString && depth === 0) endPart(at + 1)
        continue
      }
      const byte = chunk[at] as number
      if (inPart) {
        if (byte === QUOTE) inString = true
        else if (byte === OPEN_LIST || byte === OPEN_OBJECT) deeper()
        else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
          if (depth === 0) {
            // A number or a word ends where its container does.
            endPart(at)
            at -= 1
            continue
          }
          depth -= 1
          if (depth === 0) endPart(at + 1)
        } else if (depth === 0 && (byte === COMMA || isSpace(byte))) {
          endPart(at)
          at -= 1
        }
        continue
      }
      if (isSpace(byte)) continue
      from = at
      outside(byte)
    }
    // The reader may use its buffer again.
    if (inPart) keep(new Uint8Array(chunk.subarray(from)))
    return parts
  }

  /** A byte between elements. */
  function outside(byte: number): void {
    if (place === 'start') return openTop(byte)
    if (place === 'end') throw badFile(NOT_JSON)
    if (byte === around.at(-1)) return close()
    if (place === 'after') return separator(byte)
    if (inObject() && name === null && byte !== QUOTE) throw badFile(NOT_JSON)
    if (byte === OPEN_LIST && inObject() && name === listName && around.length === 1) {
      if (cutList) throw badFile(`This file holds "${listName}" twice. It was changed by something other than Aside.`)
      cutList = true
      name = null
      around.push(CLOSE_LIST)
      place = 'first'
      return
    }
    if (byte === COMMA || byte === COLON || byte === CLOSE_LIST || byte === CLOSE_OBJECT) throw badFile(NOT_JSON)
    inPart = true
    if (byte === QUOTE) inString = true
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) deeper()
  }

  function openTop(byte: number): void {
    if (byte !== OPEN_LIST && byte !== OPEN_OBJECT) throw badFile(NOT_JSON)
    around.push(byte === OPEN_LIST ? CLOSE_LIST : CLOSE_OBJECT)
    place = 'first'
  }

  function close(): void {
    // `[1,]` and `{"a":}` are no JSON.
    if (place === 'value' || name !== null) throw badFile(NOT_JSON)
    around.pop()
    place = around.length === 0 ? 'end' : 'after'
  }

  function separator(byte: number): void {
    const expected = name === null ? COMMA : COLON
    if (byte !== expected) throw badFile(NOT_JSON)
    place = 'value'
  }

  return {
    push,
    end() {
      if (place === 'start' && !inPart) throw badFile('This file is empty.')
      if (place !== 'end') throw badFile(TRUNCATED)
    }
  }
}

function nameOf(bytes: Uint8Array): string {
  const name = parseJson(bytes)
  if (typeof name !== 'string') throw badFile(NOT_JSON)
  return name
}

/** @throws CopilotError `invalid_request` when the bytes are not UTF-8 or not JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw badFile('This file is not written in UTF-8. Save it as UTF-8, or export it again.', error)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badFile(NOT_JSON, error)
  }
}
