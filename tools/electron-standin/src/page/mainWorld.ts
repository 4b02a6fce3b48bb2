// The page's half: puts what the preload exposes on `window` before any script of the page runs.
import { createWorldBridge, type BridgeMessage } from './bridge.ts'

function freezeDeep(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) freezeDeep(inner)
  return value
}

/** `prefix` is unguessable, so that a page can neither listen nor speak on the bridge. */
export function startMainWorld(prefix: string): void {
  if (window !== window.top) return
  const exposed = new Set<string>()
  const bridge = createWorldBridge({ listen: `${prefix}main`, speak: `${prefix}isolated` }, expose)

  function expose(message: BridgeMessage): void {
    if (message.op !== 'expose' || exposed.has(message.key)) return
    if (Object.hasOwn(window, message.key)) {
      bridge.post({ op: 'taken', key: message.key })
      return
    }
    exposed.add(message.key)
    const value = freezeDeep(bridge.decode(message.value))
    Object.defineProperty(window, message.key, { value, configurable: false, writable: false, enumerable: true })
  }

  bridge.post({ op: 'hello' })
}
