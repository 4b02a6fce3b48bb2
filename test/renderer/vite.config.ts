// Serves the windows over the fake bridge: `npx vite -c test/renderer/vite.config.ts` for work, `build` and `preview` for pictures under the real CSP.
import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const csp = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'"

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: resolve(import.meta.dirname, '../../out/fake'),
    emptyOutDir: true,
    rolldownOptions: { input: { index: resolve(import.meta.dirname, 'index.html'), overlay: resolve(import.meta.dirname, 'overlay.html') } }
  },
  preview: { headers: { 'Content-Security-Policy': csp } }
})
