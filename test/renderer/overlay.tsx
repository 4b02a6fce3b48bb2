// The overlay over the fake bridge.
import { installFake } from './install.ts'

installFake(window as unknown as Parameters<typeof installFake>[0], 'overlay')
await import('../../src/renderer/overlay.tsx')
