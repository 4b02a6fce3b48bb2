// `Menu` and `MenuItem`: kept as data, clicked by tests. No menu is drawn, and no accelerator of an item works by itself.
import { EventEmitter } from 'node:events'
import type { MenuItemConstructorOptions } from 'electron'
import { hooks } from './hooks.ts'
import { normalizeAccelerator } from './accelerator.ts'
import { strictInstances, strictModule, watchListeners } from './strict.ts'

let lastCommandId = 0

export class MenuItem {
  readonly commandId: number
  readonly id: string | undefined
  readonly role: string | undefined
  readonly type: string
  readonly accelerator: string | undefined
  readonly submenu: Menu | undefined
  label: string
  sublabel: string
  toolTip: string
  icon: unknown
  enabled: boolean
  visible: boolean
  checked: boolean
  registerAccelerator: boolean
  click: (event?: unknown, window?: unknown, contents?: unknown) => void
  menu: Menu | undefined

  constructor(options: MenuItemConstructorOptions) {
    const { role, type, submenu, label, accelerator, click } = options
    this.type = type ?? (submenu ? 'submenu' : 'normal')
    if (this.type === 'submenu' && !submenu) throw new Error('Invalid submenu')
    if (this.type === 'normal' && !role && !label) throw new TypeError('Required "label" or "role" or "type" missing')
    if (accelerator !== undefined) normalizeAccelerator(accelerator)
    lastCommandId += 1
    this.commandId = lastCommandId
    this.id = options.id
    this.role = role
    this.accelerator = accelerator
    this.submenu = Array.isArray(submenu) ? Menu.buildFromTemplate(submenu) : (submenu as unknown as Menu | undefined)
    this.label = label ?? role ?? ''
    this.sublabel = options.sublabel ?? ''
    this.toolTip = options.toolTip ?? ''
    this.icon = options.icon
    this.enabled = options.enabled ?? true
    this.visible = options.visible ?? true
    this.checked = options.checked ?? false
    this.registerAccelerator = options.registerAccelerator ?? true
    this.click = (event, window, contents) => {
      if (!this.enabled) return
      if (this.type === 'checkbox') this.checked = !this.checked
      const handler = click as ((...args: unknown[]) => void) | undefined
      handler?.(this, window ?? contents, event ?? {})
    }
  }
}
strictInstances(MenuItem, 'MenuItem')

export class Menu extends EventEmitter {
  items: MenuItem[] = []

  constructor() {
    super()
    watchListeners(this, 'Menu', ['menu-will-show', 'menu-will-close'])
  }

  static buildFromTemplate(template: (MenuItemConstructorOptions | MenuItem)[]): Menu {
    if (!Array.isArray(template)) throw new TypeError('Invalid template for Menu: Menu template must be an array')
    const menu = new Menu()
    for (const entry of template) menu.append(entry instanceof MenuItem ? entry : new MenuItem(entry))
    return menu
  }

  static setApplicationMenu(menu: Menu | null): void {
    hooks.applicationMenu = menu as typeof hooks.applicationMenu
  }

  static getApplicationMenu(): Menu | null {
    return hooks.applicationMenu as unknown as Menu | null
  }

  append(item: MenuItem): void {
    this.insert(this.items.length, item)
  }

  insert(position: number, item: MenuItem): void {
    item.menu = this
    this.items.splice(position, 0, item)
  }

  getMenuItemById(id: string): MenuItem | null {
    for (const item of this.items) {
      const found = item.id === id ? item : item.submenu?.getMenuItemById(id)
      if (found) return found
    }
    return null
  }

  popup(options: { callback?: () => void } = {}): void {
    hooks.popupMenu = this as unknown as typeof hooks.popupMenu
    this.emit('menu-will-show', {})
    options.callback?.()
  }

  closePopup(): void {
    if ((hooks.popupMenu as unknown) === this) hooks.popupMenu = null
    this.emit('menu-will-close', {})
  }
}
strictInstances(Menu, 'Menu')

/** `Menu` as the app imports it: statics as strict as instances. */
export const menuModule = strictModule('Menu', 'Menu', Menu)

hooks.clickMenu = (path, menu) => {
  let current = (menu ?? hooks.applicationMenu) as unknown as Menu | null | undefined
  let item: MenuItem | undefined
  for (const name of path) {
    item = current?.items.find(({ label, role }) => label === name || role === name)
    current = item?.submenu
  }
  item?.click(undefined, undefined, undefined)
  return item !== undefined
}
