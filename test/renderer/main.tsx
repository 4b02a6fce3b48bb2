// The main window over the fake bridge.
import { installFake } from './install.ts'

installFake(window as unknown as Parameters<typeof installFake>[0], 'main')
await import('../../src/renderer/main.tsx')
