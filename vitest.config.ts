// Two projects: `unit` (beside the sources, quick) and `contract` (real sockets, databases, processes and foreign peers).
import { defineConfig } from 'vitest/config'

/** A busy machine is no defect; what never comes is. */
const patience = { poll: { timeout: 10_000 } }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.{ts,tsx}', 'tools/**/*.test.ts', 'test/renderer/**/*.test.{ts,tsx}'],
          exclude: ['**/node_modules/**', 'out/**'],
          pool: 'threads',
          expect: patience
        }
      },
      {
        test: {
          name: 'contract',
          include: ['test/contracts/**/*.test.ts', 'test/journeys/**/*.test.ts', 'test/chaos/**/*.test.ts', 'test/scale/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 20_000,
          expect: patience
        }
      }
    ]
  }
})
