// How the events of a streamed answer are cut out of its bytes: server-sent events for most, AWS's binary frames for Bedrock.
import { createParser } from 'eventsource-parser'
import { MalformedAnswer } from './codec.ts'

const MOST_EVENT_BYTES = 1_000_000

/** Server-sent events. The parser takes any cut of the bytes, comments and all line ends. */
export function serverSentEvents(onEvent: (data: string) => void): (bytes: Uint8Array) => void {
  const parser = createParser({ onEvent: ({ data }) => onEvent(data), maxBufferSize: MOST_EVENT_BYTES })
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
