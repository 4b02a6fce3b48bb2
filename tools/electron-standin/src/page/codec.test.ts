// The IPC codec keeps what structured clone keeps, and refuses what it refuses.
import { anything, assert, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode } from './codec.ts'

const clone = (value: unknown): unknown => decode(encode(value))

describe('the IPC codec', () => {
  it('keeps every value that JSON would lose', () => {
    const values = [
      undefined,
      null,
      -0,
      Number.NaN,
      Infinity,
      -Infinity,
      2n ** 80n,
      '\u{1F600}',
      '\uD800 alone',
      '',
      Object(1n),
      Object('x'),
      new Date(5),
      new Date(Number.NaN),
      /a+/giu
    ]
    expect(clone(values)).toStrictEqual(values)
  })

  it('keeps maps, sets and binary data with their types', () => {
    const bytes = new Uint8Array([0, 1, 255])
    const value = {
      map: new Map<unknown, unknown>([['a', new Set([1, bytes])]]),
      floats: new Float64Array([1.5, -2]),
      view: new DataView(bytes.buffer),
      buffer: bytes.buffer
    }
    const copy = clone(value) as typeof value
    expect(copy).toStrictEqual(value)
    expect(copy.view.getUint8(2)).toBe(255)
  })

  it('sends only the part of a buffer that a view shows', () => {
    expect(clone(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))).toStrictEqual(new Uint8Array([2, 3]))
    expect(clone(Buffer.from('abc'))).toStrictEqual(new Uint8Array([97, 98, 99]))
  })

  it('keeps cycles and shared parts', () => {
    const shared = { n: 1 }
    const value: Record<string, unknown> = { first: shared, second: shared, list: [shared] }
    value['self'] = value
    const copy = clone(value) as typeof value
    expect(copy['self']).toBe(copy)
    expect(copy['first']).toBe(copy['second'])
    expect((copy['list'] as unknown[])[0]).toBe(copy['first'])
  })

  it('keeps an error with its kind, message and cause', () => {
    const copy = clone(new RangeError('far', { cause: new TypeError('why') })) as RangeError
    expect(copy).toBeInstanceOf(RangeError)
    expect(copy.message).toBe('far')
    expect(copy.cause).toBeInstanceOf(TypeError)
  })

  it('keeps keys that look like its own tags or like a prototype', () => {
    const value = JSON.parse('{"$":"date","$$":1,"__proto__":{"polluted":true},"constructor":2}') as Record<string, unknown>
    const copy = clone(value) as Record<string, unknown>
    expect(Object.entries(copy)).toStrictEqual(Object.entries(value))
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('gives a class instance as a plain object, without its methods', () => {
    class Point {
      x = 1
      length(): number {
        return this.x
      }
    }
    expect(clone(new Point())).toStrictEqual({ x: 1 })
  })

  it.each([
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a promise', Promise.resolve()],
    ['a weak map', new WeakMap()],
    ['a request', new Request('https://example.com/')],
    ['an iterator', [].values()],
    ['a function deep inside', { a: [new Map([['b', () => 1]])] }]
  ])('refuses %s', (_what, value) => {
    expect(() => encode(value)).toThrow('An object could not be cloned.')
  })

  it('returns any data unchanged', () => {
    assert(
      property(
        anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withBoxedValues: true,
          withNullPrototype: false,
          withSparseArray: false
        }),
        (value) => {
          expect(clone(value)).toStrictEqual(structuredClone(value))
        }
      ),
      { numRuns: 300 }
    )
  })
})
