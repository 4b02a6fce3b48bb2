// Whatever JSON it is and wherever it is cut into chunks, the parts are the elements.
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { createJsonSplitter, parseJson } from './jsonSplitter.ts'

// A busy machine takes its time.
vi.setConfig({ testTimeout: 30_000 })

const options = { listName: 'records', maxPartBytes: 1_000, maxDepth: 20 }

function split(text: string, cuts: readonly number[]): { name: string | null; value: unknown }[] {
  const bytes = Buffer.from(text)
  const splitter = createJsonSplitter(options)
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  const parts = edges
    .slice(1)
    .flatMap((end, index) => splitter.push(bytes.subarray(edges[index], end)).map((part) => ({ name: part.name, value: parseJson(part.bytes) })))
  splitter.end()
  return parts
}
const trap = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
  fc.stringMatching(/^[\\"[\]{},: \n]{0,9}$/)
)
const value = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }).map((one) => JSON.parse(JSON.stringify(one).toWellFormed()) as unknown)
const element = fc.oneof(value, trap)
const cuts = fc.array(fc.nat(10_000), { maxLength: 12 })
const spacing = fc.constantFrom(undefined, 1, '\t')

it('gives the elements of a list', () => {
  fc.assert(
    fc.property(fc.array(element, { maxLength: 8 }), cuts, spacing, (list, at, space) => {
      fc.pre(Buffer.byteLength(JSON.stringify(list, null, space)) < 900)
      expect(split(JSON.stringify(list, null, space), at)).toEqual(list.map((one) => ({ name: null, value: one })))
    }),
    { numRuns: 300 }
  )
})
it('gives the members of an object, and the elements of its one list', () => {
  fc.assert(
    fc.property(element, fc.array(element, { maxLength: 6 }), element, cuts, spacing, (before, records, after, at, space) => {
      const text = JSON.stringify({ 'a"\\': before, records, z: after }, null, space)
      fc.pre(Buffer.byteLength(text) < 900)
      expect(split(text, at)).toEqual([
        { name: 'a"\\', value: before },
        ...records.map((one) => ({ name: null, value: one })),
        { name: 'z', value: after }
      ])
    }),
    { numRuns: 300 }
  )
})
it('takes nothing for whole that is not: any text is refused, or JSON', () => {
  const pieces = fc.array(fc.constantFrom('[', ']', '{', '}', ',', ':', '"a"', '1', ' ', 'true', '"', '\\'), { maxLength: 12 })
  fc.assert(
    fc.property(pieces, cuts, (list, at) => {
      const text = list.join('')
      let parts: unknown = null
      try {
        parts = split(text, at)
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid_request' })
      }
      if (parts !== null) expect(() => JSON.parse(text) as unknown).not.toThrow()
    }),
    { numRuns: 3_000 }
  )
})
it('refuses a part that is too large before it is complete', () => {
  const splitter = createJsonSplitter(options)
  splitter.push(Buffer.from('["'))
  expect(() => splitter.push(Buffer.alloc(1_001, 0x61))).toThrow(/larger than/)
})
