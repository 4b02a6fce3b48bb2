// Lines over a socket, with a bound on their length in both directions of trouble: a sender that never ends a line, and
// a reader that does not read.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { CopilotError } from '../../shared/errors.ts'

const NEWLINE = 0x0a

/** Each line without its end; stops when the other side has ended. @throws CopilotError `invalid_request` over the bound. */
export async function* readLines(socket: Socket, maxBytes: number): AsyncGenerator<string, void> {
  let parts: Buffer[] = []
  let size = 0
  // The socket outlives the reading: what is wrong with a line can still be told.
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    let rest = chunk
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      parts.push(rest.subarray(0, end))
      size += end
      if (size > maxBytes) throw tooLong(maxBytes)
      yield Buffer.concat(parts).toString('utf8')
      parts = []
      size = 0
      rest = rest.subarray(end + 1)
    }
    parts.push(rest)
    size += rest.length
    if (size > maxBytes) throw tooLong(maxBytes)
  }
}

/** Resolves when the socket can take more; a socket that has gone takes everything. */
export async function writeLine(socket: Socket, value: unknown): Promise<void> {
  if (socket.destroyed || !socket.writable) return
  if (socket.write(`${JSON.stringify(value)}\n`)) return
  const settled = new AbortController()
  try {
    await Promise.race([once(socket, 'drain', { signal: settled.signal }), once(socket, 'close', { signal: settled.signal })])
  } finally {
    settled.abort()
  }
}

export function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw new CopilotError('invalid_request', 'This line is not JSON.', { cause: error })
  }
}

function tooLong(maxBytes: number): CopilotError {
  return new CopilotError('invalid_request', `This line is longer than ${maxBytes.toLocaleString('en')} bytes.`)
}
