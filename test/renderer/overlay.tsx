// The overlay over the fake bridge.
import { installFake } from './install.ts'

installFake(window, 'overlay')
await import('../../src/renderer/overlay.tsx')
