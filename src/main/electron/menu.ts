// The application menu: standard roles, so that editing keys work everywhere, and the few commands of our own.
import { Menu, type MenuItemConstructorOptions } from 'electron'

export interface MenuActions {
  readonly newSession: () => void
  readonly search: () => void
  readonly overlay: () => void
  readonly quit: () => void
}

export function applyMenu(actions: MenuActions, developer: boolean): void {
  const mac = process.platform === 'darwin'
  const template: MenuItemConstructorOptions[] = [
    ...(mac ? [{ role: 'appMenu' } satisfies MenuItemConstructorOptions] : []),
    {
      label: 'File',
      submenu: [
        { label: 'New session', accelerator: 'CommandOrControl+N', click: actions.newSession },
        { label: 'Search', accelerator: 'CommandOrControl+K', click: actions.search },
        { label: 'Ask in the overlay', click: actions.overlay },
        { type: 'separator' },
        mac ? { role: 'close' } : { label: 'Quit Aside', accelerator: 'CommandOrControl+Q', click: actions.quit }
      ]
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        ...(developer ? [{ role: 'toggleDevTools' } satisfies MenuItemConstructorOptions] : [])
      ]
    },
    { role: 'windowMenu' }
  ]
  Menu.setApplicationMenu(Menu.buildFromTemplate(template))
}
