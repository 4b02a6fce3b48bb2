// How the events of a streamed answer are cut out of its bytes: server-sent events for most, AWS's binary frames for Bedrock.
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { createParser } from 'eventsource-parser'
import { MalformedAnswer } from './codec.ts'

const MOST_EVENT_BYTES = 1_000_000

/** Server-sent events. The parser takes any cut of the bytes, comments and all line ends. */
export function serverSentEvents(onEvent: (data: string) => void): (bytes: Uint8Array) => void {
  const parser = createParser({
    onEvent: ({ data }) => onEvent(data),
    onError(error) {
      // Unknown fields and odd retry times are to be passed over; only an event without an end is no answer.
      if (error.type === 'max-buffer-size-exceeded') throw new MalformedAnswer('an event without an end', { cause: error })
    },
    maxBufferSize: MOST_EVENT_BYTES
  })
  const decoder = new TextDecoder('utf-8', { fatal: true })
  return (bytes) => {
    let text: string
    try {
      text = decoder.decode(bytes, { stream: true })
    } catch (error) {
      throw new MalformedAnswer('not UTF-8', { cause: error })
    }
    parser.feed(text)
  }
}

const PRELUDE_BYTES = 4
const fromUtf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8')
const toUtf8 = (bytes: Uint8Array | string): string => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'))

/** `application/vnd.amazon.eventstream`; each message becomes JSON `{kind, name, payload}`. Checksums are checked. */
export function amazonEventStream(onEvent: (data: string) => void): (bytes: Uint8Array) => void {
  const codec = new EventStreamCodec(toUtf8, fromUtf8)
  let buffer = Buffer.alloc(0)
  return (bytes) => {
    buffer = buffer.length === 0 ? Buffer.from(bytes) : Buffer.concat([buffer, bytes])
    while (buffer.length >= PRELUDE_BYTES) {
      const length = buffer.readUInt32BE(0)
      if (length < 16 || length > MOST_EVENT_BYTES) throw new MalformedAnswer('not an event stream')
      if (buffer.length < length) return
      onEvent(readFrame(codec, buffer.subarray(0, length)))
      buffer = buffer.subarray(length)
    }
  }
}

function readFrame(codec: EventStreamCodec, frame: Uint8Array): string {
  let message
  try {
    message = codec.decode(frame)
  } catch (error) {
    throw new MalformedAnswer('a damaged event', { cause: error })
  }
  const header = (name: string): string => String(message.headers[name]?.value ?? '')
  const kind = header(':message-type')
  const name = kind === 'event' ? header(':event-type') : header(':exception-type') || header(':error-code')
  return `{"kind":${JSON.stringify(kind)},"name":${JSON.stringify(name)},"payload":${toUtf8(message.body) || 'null'}}`
}
