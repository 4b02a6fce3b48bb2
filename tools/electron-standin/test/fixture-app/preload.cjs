// The fixture app's preload: a sandboxed CommonJS script, as Electron wants it.
const { contextBridge, ipcRenderer } = require('electron')

class Point {
  x = 1
  length() {
    return 1
  }
}

contextBridge.exposeInMainWorld('api', {
  invoke: (channel, ...values) => ipcRenderer.invoke(channel, ...values),
  send: (channel, ...values) => ipcRenderer.send(channel, ...values),
  /** A function can't be cloned: the page learns what Electron says. */
  sendFunction() {
    try {
      ipcRenderer.send('echo', () => 1)
      return 'sent'
    } catch (error) {
      return error.message
    }
  },
  onTick(listener) {
    const forward = (_event, count) => listener(count)
    ipcRenderer.on('tick', forward)
    return () => ipcRenderer.off('tick', forward)
  },
  add: (a, b) => a + b,
  callBack: (callback) => callback(41),
  reject: async () => {
    throw new RangeError('no')
  },
  symbol: () => Symbol('x'),
  point: new Point(),
  versions: { electron: process.versions.electron, chrome: process.versions.chrome }
})
try {
  contextBridge.exposeInMainWorld('api', {})
} catch (error) {
  contextBridge.exposeInMainWorld('exposedTwice', error.message)
}
