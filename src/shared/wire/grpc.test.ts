// What goes over gRPC comes back the same, through the real bytes.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryTurn } from '../../../test/fakes/arbitraries.ts'
import { StreamResponse } from './gen/ai.ts'
import { fromStreamResponse, toStreamResponse } from './grpc.ts'

const id = '0198c5f0-0000-7000-8000-000000000001'

describe('the gRPC wire', () => {
  it('carries every turn event unchanged', () => {
    fc.assert(
      fc.property(arbitraryTurn(id), (events) => {
        for (const event of events) {
          const bytes = StreamResponse.encode(toStreamResponse(event, 'm')).finish()
          expect(fromStreamResponse(StreamResponse.decode(bytes))).toEqual(event)
        }
      })
    )
  })

  it('gives a base client the text in content, and the end in is_final', () => {
    fc.assert(
      fc.property(arbitraryTurn(id), (events) => {
        const pieces = events.map((event) => toStreamResponse(event, 'm'))
        expect(pieces.map((p) => p.content).join('')).toBe(events.map((e) => (e.type === 'delta' ? e.text : '')).join(''))
        expect(pieces.map((p) => p.isFinal)).toEqual(events.map((_, i) => i === events.length - 1))
        expect(pieces.every((p) => p.messageId === 'm')).toBe(true)
      })
    )
  })

  it('tells a base peer by its missing number', () => {
    expect(fromStreamResponse(StreamResponse.fromPartial({ content: 'Hello', isFinal: false, messageId: 'm' }))).toBeNull()
  })
})
