// Where windows stand and how large they may be.
import { describe, expect, it } from 'vitest'
import { centered, limitSize, needWholeNumbers } from './windowGeometry.ts'

describe('a window', () => {
  it('stands in the middle of its area', () => {
    expect(centered({ width: 101, height: 50 }, { x: 10, y: 20, width: 200, height: 100 })).toStrictEqual({ x: 60, y: 45, width: 101, height: 50 })
  })

  it('is kept within its limits, where 0 is none', () => {
    const limits = { min: [300, 200], max: [0, 400] } as const
    expect(limitSize({ width: 10, height: 10 }, limits)).toStrictEqual({ width: 300, height: 200 })
    expect(limitSize({ width: 5000, height: 5000 }, limits)).toStrictEqual({ width: 5000, height: 400 })
  })

  it.each([{ x: 1.5 }, { width: Number.NaN }, { y: Infinity }])('refuses bounds of %j', (bounds) => {
    expect(() => needWholeNumbers(bounds)).toThrow('conversion failure')
  })
})
