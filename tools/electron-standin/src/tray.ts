// `Tray`: an icon nobody sees, whose clicks tests send.
import { EventEmitter } from 'node:events'
import { hooks } from './hooks.ts'
import type { NativeImage } from './image.ts'
import type { Menu } from './menu.ts'
import { electronEvent, needReady } from './state.ts'
import { strictInstances, watchListeners } from './strict.ts'

const EVENTS = ['click', 'right-click', 'double-click', 'middle-click']
const NOWHERE = { x: 0, y: 0, width: 0, height: 0 }

export class Tray extends EventEmitter {
  /** @internal For tests: what the icon would show. */
  readonly shown: { image: NativeImage | string; toolTip: string; title: string; menu: Menu | null }

  constructor(image: NativeImage | string) {
    needReady('Cannot create Tray before app is ready')
    super()
    this.shown = { image, toolTip: '', title: '', menu: null }
    hooks.trays.add(this)
    watchListeners(this, 'Tray', EVENTS)
  }

  setImage(image: NativeImage | string): void {
    this.shown.image = image
  }

  setPressedImage(): void {}

  setToolTip(toolTip: string): void {
    this.shown.toolTip = toolTip
  }

  setTitle(title: string): void {
    this.shown.title = title
  }

  getTitle(): string {
    return this.shown.title
  }

  setContextMenu(menu: Menu | null): void {
    this.shown.menu = menu
  }

  popUpContextMenu(menu?: Menu): void {
    const shown = menu ?? this.shown.menu
    shown?.popup()
  }

  closeContextMenu(): void {
    this.shown.menu?.closePopup()
  }

  setIgnoreDoubleClickEvents(): void {}

  getBounds(): typeof NOWHERE {
    return { ...NOWHERE }
  }

  focus(): void {}

  destroy(): void {
    hooks.trays.delete(this)
  }

  isDestroyed(): boolean {
    return !hooks.trays.has(this)
  }
}
strictInstances(Tray, 'Tray')

hooks.triggerTray = (event) => {
  const [tray] = hooks.trays as Set<Tray>
  tray?.emit(event, electronEvent(), { ...NOWHERE }, { x: 0, y: 0 })
  return tray !== undefined
}
