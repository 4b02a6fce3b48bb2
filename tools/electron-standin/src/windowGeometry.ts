// Where a window is and how large it may be. Pure.
import type { Rectangle } from 'electron'
import { conversionFailure } from './state.ts'

export interface SizeLimits {
  readonly min: readonly [width: number, height: number]
  /** 0: no limit. */
  readonly max: readonly [width: number, height: number]
}

const clamp = (value: number, min: number, max: number): number => Math.max(min, max > 0 ? Math.min(value, max) : value)

export function limitSize<T extends { width: number; height: number }>(bounds: T, { min, max }: SizeLimits): T {
  return { ...bounds, width: clamp(bounds.width, min[0], max[0]), height: clamp(bounds.height, min[1], max[1]) }
}

export function centered({ width, height }: { width: number; height: number }, area: Rectangle): Rectangle {
  return { x: Math.round(area.x + (area.width - width) / 2), y: Math.round(area.y + (area.height - height) / 2), width, height }
}

/** @throws TypeError as Electron does for a number that is not whole */
export function needWholeNumbers(bounds: Partial<Rectangle>): void {
  if (!Object.values(bounds).every((value) => Number.isInteger(value))) throw conversionFailure(bounds)
}

export const sameSize = (a: Rectangle, b: Rectangle): boolean => a.width === b.width && a.height === b.height
export const samePosition = (a: Rectangle, b: Rectangle): boolean => a.x === b.x && a.y === b.y
