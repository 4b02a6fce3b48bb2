// Where a window opens: its remembered place if a person could still reach it there, else a sensible one. Pure.
import type { Bounds } from '../../shared/domain.ts'

export interface DisplayArea {
  readonly id: number
  /** Screen coordinates without task bars and docks. */
  readonly workArea: Bounds
}
export interface RememberedPlace {
  readonly bounds: Bounds
  readonly displayId: number
}
export interface PlacementWish {
  readonly width: number
  readonly height: number
  readonly minWidth: number
  readonly minHeight: number
  readonly corner: 'centre' | 'top-right'
}
/** Between the overlay and the edges of its display. */
const MARGIN = 24

const within = (value: number, from: number, to: number): number => Math.round(Math.min(Math.max(value, from), Math.max(from, to)))

/** `displays` is not empty; the first is the one to fall back to. Result in whole screen coordinates, inside one work area. */
export function placeWindow(remembered: RememberedPlace | null, displays: readonly [DisplayArea, ...DisplayArea[]], wish: PlacementWish): Bounds {
  const display = displays.find((d) => d.id === remembered?.displayId)
  const area = (display ?? displays[0]).workArea
  const fit = (bounds: Bounds): Bounds => {
    const width = within(bounds.width, Math.min(wish.minWidth, area.width), area.width)
    const height = within(bounds.height, Math.min(wish.minHeight, area.height), area.height)
    return {
      x: within(bounds.x, area.x, area.x + area.width - width),
      y: within(bounds.y, area.y, area.y + area.height - height),
      width,
      height
    }
  }
  if (remembered !== null && display !== undefined) return fit(remembered.bounds)
  const size = remembered?.bounds ?? wish
  return fit({
    width: size.width,
    height: size.height,
    x: wish.corner === 'centre' ? area.x + (area.width - size.width) / 2 : area.x + area.width - size.width - MARGIN,
    y: wish.corner === 'centre' ? area.y + (area.height - size.height) / 2 : area.y + MARGIN
  })
}
