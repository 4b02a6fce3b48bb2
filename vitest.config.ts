// Unit tests stand beside their source; contract suites in test/contracts run on every adapter of a port.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'tools/**/*.test.ts', 'test/contracts/**/*.test.ts', 'test/unit/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'out/**'],
    pool: 'threads'
  }
})
