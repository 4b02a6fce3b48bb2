// `screen`: one display, as large as the X11 root where there is one, or what a test says.
import { execFileSync } from 'node:child_process'
import { EventEmitter } from 'node:events'
import type { Display, Point, Rectangle, Screen } from 'electron'
import { config } from './config.ts'
import { hooks } from './hooks.ts'
import { electronEvent, needReady } from './state.ts'
import { strictModule, watchListeners } from './strict.ts'

const READY = "The 'screen' module can't be used before the app 'ready' event"
const DEFAULT_SIZE = { width: 1920, height: 1080 }
let size: { width: number; height: number } | null = null

/** Asked once, and only where windows are visible. */
function screenSize(): { width: number; height: number } {
  if (config.headless || process.platform !== 'linux') return DEFAULT_SIZE
  try {
    const [, width, height] = /dimensions:\s+(\d+)x(\d+)/.exec(execFileSync('xdpyinfo', { encoding: 'utf8' })) ?? []
    return width && height ? { width: Number(width), height: Number(height) } : DEFAULT_SIZE
  } catch {
    // xdpyinfo is a nicety: without it the usual size is assumed.
    return DEFAULT_SIZE
  }
}

function standardDisplay(): Display {
  size ??= screenSize()
  const bounds = { x: 0, y: 0, ...size }
  return {
    id: 1,
    label: 'Stand-in',
    bounds,
    workArea: bounds,
    size,
    workAreaSize: size,
    scaleFactor: 1,
    rotation: 0,
    internal: true,
    detected: true,
    monochrome: false,
    touchSupport: 'unknown',
    accelerometerSupport: 'unknown',
    colorDepth: 24,
    colorSpace: '',
    depthPerComponent: 8,
    displayFrequency: 60,
    maximumCursorSize: { width: 64, height: 64 },
    nativeOrigin: { x: 0, y: 0 }
  }
}

export const displays = (): Display[] => hooks.displays ?? [standardDisplay()]
export const primaryDisplay = (): Display => displays()[0] ?? standardDisplay()

/** How far a point is from a rectangle; 0 inside. */
function distance(point: Point, { x, y, width, height }: Rectangle): number {
  return Math.hypot(Math.max(x - point.x, 0, point.x - x - width), Math.max(y - point.y, 0, point.y - y - height))
}

const nearest = (point: Point): Display => displays().toSorted((a, b) => distance(point, a.bounds) - distance(point, b.bounds))[0] ?? primaryDisplay()

class StandinScreen
  extends EventEmitter
  implements Omit<Screen, keyof EventEmitter | 'dipToScreenPoint' | 'dipToScreenRect' | 'screenToDipPoint' | 'screenToDipRect'>
{
  getAllDisplays(): Display[] {
    needReady(READY)
    return displays()
  }

  getPrimaryDisplay(): Display {
    needReady(READY)
    return primaryDisplay()
  }

  getCursorScreenPoint(): Point {
    needReady(READY)
    return hooks.cursor
  }

  getDisplayNearestPoint(point: Point): Display {
    needReady(READY)
    return nearest(point)
  }

  getDisplayMatching({ x, y, width, height }: Rectangle): Display {
    needReady(READY)
    return nearest({ x: x + width / 2, y: y + height / 2 })
  }
}

const instance = new StandinScreen()
watchListeners(instance, 'Screen', ['display-added', 'display-removed', 'display-metrics-changed'])

hooks.setDisplays = (list) => {
  const before = displays()
  hooks.displays = list
  for (const display of list.filter(({ id }) => before.every((old) => old.id !== id))) instance.emit('display-added', electronEvent(), display)
  for (const display of before.filter(({ id }) => list.every((now) => now.id !== id))) instance.emit('display-removed', electronEvent(), display)
  for (const display of list.filter(({ id }) => before.some((old) => old.id === id))) {
    instance.emit('display-metrics-changed', electronEvent(), display, ['bounds', 'workArea'])
  }
}

export const screen = strictModule('screen', 'Screen', instance)
