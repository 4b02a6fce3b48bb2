// What a page of the strict app may try.
const { contextBridge, ipcRenderer } = require('electron')

contextBridge.exposeInMainWorld('api', {
  invoke: (channel, ...values) => ipcRenderer.invoke(channel, ...values),
  send: (channel) => ipcRenderer.send(channel),
  sendSync: () => ipcRenderer.sendSync('x'),
  symbol: () => Symbol('x')
})
