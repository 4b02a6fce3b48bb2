// Three bundles: main (with the workers of history, import and export, and the embedded service with its own beside it), one sandboxed preload, the renderer.
import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

export default defineConfig({
  main: {
    build: {
      // What package.json lists under "dependencies" stays external: better-sqlite3 must, it is native.
      externalizeDeps: true,
      rolldownOptions: {
        input: {
          index: resolve('src/main/electron/index.ts'),
          historyWorker: resolve('src/main/history/worker.ts'),
          importWorker: resolve('src/main/import/worker.ts'),
          exportWorker: resolve('src/main/export/worker.ts'),
          service: resolve('src/service/bin/serve.ts'),
          knowledgeWorker: resolve('src/service/knowledge/worker.ts'),
          meaningWorker: resolve('src/service/knowledge/meaning/worker.ts')
        },
        output: { entryFileNames: '[name].js' }
      }
    }
  },
  preload: {
    build: {
      // A sandboxed preload is one CommonJS file with nothing to require but electron.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: resolve('src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' }
      }
    }
  },
  renderer: {
    root: 'src/renderer',
    plugins: [react()],
    build: {
      rolldownOptions: { input: { index: resolve('src/renderer/index.html'), overlay: resolve('src/renderer/overlay.html') } }
    }
  }
})
