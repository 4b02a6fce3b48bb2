// The tray: how Aside is reached when its window is closed.
import { Menu, nativeImage, Tray } from 'electron'

export interface TrayActions {
  readonly ask: () => void
  readonly open: () => void
  readonly quit: () => void
}

/** `icon` is a PNG file; on macOS a template image. Returns the function that removes it. */
export function createTray(icon: string, actions: TrayActions): () => void {
  const image = nativeImage.createFromPath(icon)
  if (process.platform === 'darwin') image.setTemplateImage(true)
  const tray = new Tray(image)
  tray.setToolTip('Aside')
  tray.setContextMenu(
    Menu.buildFromTemplate([
      { label: 'Ask in the overlay', click: actions.ask },
      { label: 'Open Aside', click: actions.open },
      { type: 'separator' },
      { label: 'Quit Aside', click: actions.quit }
    ])
  )
  tray.on('click', actions.open)
  return () => tray.destroy()
}
