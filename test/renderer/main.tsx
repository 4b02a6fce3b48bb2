// The main window over the fake bridge.
import { installFake } from './install.ts'

installFake(window, 'main')
await import('../../src/renderer/main.tsx')
