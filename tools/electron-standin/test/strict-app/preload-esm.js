// A sandboxed preload is no ES module.
import { ipcRenderer } from 'electron'
void ipcRenderer
