// Station 3 on the way of a question: two fixed channels between page and main, and nothing else.
import { contextBridge, ipcRenderer, type IpcRendererEvent } from 'electron'
import type { PreloadApi } from '../shared/bridge.ts'
import { CALL_CHANNEL, PUSH_CHANNEL } from '../shared/channels.ts'

const api: PreloadApi = {
  call: (method, input) => ipcRenderer.invoke(CALL_CHANNEL, method, input),
  onPush: (listener) => {
    const forward = (_event: IpcRendererEvent, push: unknown): void => listener(push)
    ipcRenderer.on(PUSH_CHANNEL, forward)
    return () => ipcRenderer.off(PUSH_CHANNEL, forward)
  },
  window: location.pathname.endsWith('/overlay.html') ? 'overlay' : 'main'
}

contextBridge.exposeInMainWorld('aside', api)
