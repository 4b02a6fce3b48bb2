// What `import … from 'electron'` and `require('electron')` are in the app's main process.
import { app } from './app.ts'
import { BrowserWindow } from './browserWindow.ts'
import { clipboard, dialog, shell } from './desktop.ts'
import { globalShortcut } from './globalShortcut.ts'
import { nativeImage } from './image.ts'
import { ipcMain } from './ipcMain.ts'
import { menuModule as Menu, MenuItem } from './menu.ts'
import {
  autoUpdater,
  BaseWindow,
  BrowserView,
  contentTracing,
  crashReporter,
  desktopCapturer,
  inAppPurchase,
  MessageChannelMain,
  netLog,
  pushNotifications,
  systemPreferences,
  TouchBar,
  View,
  WebContentsView
} from './miscellany.ts'
import { net } from './net.ts'
import { Notification } from './notification.ts'
import { powerMonitor, powerSaveBlocker } from './power.ts'
import { protocol } from './protocol.ts'
import { safeStorage } from './safeStorage.ts'
import { screen } from './screen.ts'
import { session } from './session.ts'
import { nativeTheme } from './theme.ts'
import { Tray } from './tray.ts'
import { utilityProcess } from './utilityProcess.ts'
import { webContents, webFrameMain } from './webContents.ts'

const electron = {
  app,
  autoUpdater,
  BaseWindow,
  BrowserView,
  BrowserWindow,
  clipboard,
  contentTracing,
  crashReporter,
  desktopCapturer,
  dialog,
  globalShortcut,
  inAppPurchase,
  ipcMain,
  Menu,
  MenuItem,
  MessageChannelMain,
  nativeImage,
  nativeTheme,
  net,
  netLog,
  Notification,
  powerMonitor,
  powerSaveBlocker,
  protocol,
  pushNotifications,
  safeStorage,
  screen,
  session,
  shell,
  systemPreferences,
  TouchBar,
  Tray,
  utilityProcess,
  View,
  webContents,
  WebContentsView,
  webFrameMain
}

export {
  app,
  autoUpdater,
  BaseWindow,
  BrowserView,
  BrowserWindow,
  clipboard,
  contentTracing,
  crashReporter,
  desktopCapturer,
  dialog,
  globalShortcut,
  inAppPurchase,
  ipcMain,
  Menu,
  MenuItem,
  MessageChannelMain,
  nativeImage,
  nativeTheme,
  net,
  netLog,
  Notification,
  powerMonitor,
  powerSaveBlocker,
  protocol,
  pushNotifications,
  safeStorage,
  screen,
  session,
  shell,
  systemPreferences,
  TouchBar,
  Tray,
  utilityProcess,
  View,
  webContents,
  WebContentsView,
  webFrameMain
}
// oxlint-disable-next-line import/no-default-export -- `import electron from 'electron'`
export default electron
/** What require('electron') returns. */
export { electron as 'module.exports' }
