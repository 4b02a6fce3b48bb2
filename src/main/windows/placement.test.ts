// A window always opens where a person can reach it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeWindow, type DisplayArea } from './placement.ts'

const wish = { width: 420, height: 560, minWidth: 320, minHeight: 220, corner: 'top-right' } as const
const one: DisplayArea = { id: 1, workArea: { x: 0, y: 25, width: 1920, height: 1055 } }
const two: DisplayArea = { id: 2, workArea: { x: -1280, y: 0, width: 1280, height: 1024 } }

describe('placeWindow', () => {
  it('lies wholly inside one work area, in whole pixels, whatever was remembered', () => {
    const any = fc.integer({ min: -10_000, max: 10_000 })
    const size = fc.integer({ min: 1, max: 10_000 })
    fc.assert(
      fc.property(fc.record({ bounds: fc.record({ x: any, y: any, width: size, height: size }), displayId: fc.constantFrom(1, 2, 3) }), (place) => {
        const b = placeWindow(place, [one, two], wish)
        const inside = [one, two].some(
          ({ workArea: a }) => b.x >= a.x && b.y >= a.y && b.x + b.width <= a.x + a.width && b.y + b.height <= a.y + a.height
        )
        expect(inside).toBe(true)
        expect(Object.values(b).every(Number.isInteger)).toBe(true)
        expect(b.width).toBeGreaterThanOrEqual(wish.minWidth)
      })
    )
  })
  it('comes back where it was', () => {
    const bounds = { x: -900, y: 40, width: 400, height: 500 }
    expect(placeWindow({ bounds, displayId: 2 }, [one, two], wish)).toEqual(bounds)
  })
  it('keeps its size but moves to the display at hand when its own is gone', () => {
    const placed = placeWindow({ bounds: { x: 5_000, y: 40, width: 400, height: 500 }, displayId: 9 }, [one], wish)
    expect(placed).toEqual({ x: 1920 - 400 - 24, y: 25 + 24, width: 400, height: 500 })
  })
})
