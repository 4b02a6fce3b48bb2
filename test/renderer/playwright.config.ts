// Behaviour of both windows in a real engine, over the fake bridge: `npx playwright test -c test/renderer/playwright.config.ts`.
import { defineConfig } from '@playwright/test'

const port = 41_173

export default defineConfig({
  testDir: import.meta.dirname,
  testMatch: '*.spec.ts',
  workers: 1,
  reporter: 'line',
  outputDir: '../../out/playwright-renderer',
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    launchOptions: { executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] }
  },
  webServer: {
    command: `npx vite build -c vite.config.ts && npx vite preview -c vite.config.ts --host 127.0.0.1 --port ${port} --strictPort`,
    cwd: import.meta.dirname,
    url: `http://127.0.0.1:${port}/index.html`
  }
})
