// Carries values and calls between the page's own world and the preload's isolated world, as Electron's contextBridge does.
// Both worlds share nothing but the DOM, so they talk by synchronous CustomEvents, whose `detail` Chromium clones between worlds.

/** A value on its way: v = primitive, c = cloned by CustomEvent itself, o/a = object or array, r = seen before, f = function, p = promise, e = error. */
export type Crossing =
  | { t: 'v'; v: unknown }
  | { t: 'c'; i: number; v: object }
  | { t: 'o'; i: number; v: [string, Crossing][] }
  | { t: 'a'; i: number; v: Crossing[] }
  | { t: 'r'; i: number }
  | { t: 'f'; id: number }
  | { t: 'p'; id: number }
  | { t: 'e'; message: string }

export type BridgeMessage =
  | { op: 'call'; id: number; args: Crossing }
  | { op: 'returned'; value: Crossing }
  | { op: 'threw'; message: string }
  | { op: 'resolved'; id: number; value: Crossing }
  | { op: 'rejected'; id: number; message: string }
  | { op: 'hello' }
  | { op: 'expose'; key: string; value: Crossing }
  | { op: 'taken'; key: string }

export interface WorldBridge {
  encode(value: unknown): Crossing
  decode(value: Crossing): unknown
  post(message: BridgeMessage): void
}

const MAX_DEPTH = 1000

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** One side of the bridge. `handle` gets what is not a call or its result: hello, expose, taken. */
export function createWorldBridge(names: { listen: string; speak: string }, handle: (message: BridgeMessage) => void): WorldBridge {
  const target = document
  const dispatch = target.dispatchEvent.bind(target)
  const OwnCustomEvent = CustomEvent
  const functions = new Map<number, (...args: unknown[]) => unknown>()
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let lastId = 0
  let answer: BridgeMessage | undefined

  const post = (detail: BridgeMessage): void => {
    dispatch(new OwnCustomEvent(names.speak, { detail }))
  }

  async function relay(id: number, promise: Promise<unknown>): Promise<void> {
    try {
      post({ op: 'resolved', id, value: encode(await promise) })
    } catch (error) {
      post({ op: 'rejected', id, message: messageOf(error) })
    }
  }

  function encodePromise(promise: Promise<unknown>): Crossing {
    lastId += 1
    void relay(lastId, promise)
    return { t: 'p', id: lastId }
  }

  function encodeObject(item: object, depth: number, seen: Map<object, number>): Crossing {
    const known = seen.get(item)
    if (known !== undefined) return { t: 'r', i: known }
    const i = seen.size
    seen.set(item, i)
    if (Array.isArray(item)) return { t: 'a', i, v: item.map((inner) => walk(inner, depth + 1, seen)) }
    const isPlain = Object.prototype.toString.call(item) === '[object Object]' || Object.getPrototypeOf(item) === null
    if (!isPlain) return { t: 'c', i, v: item }
    // A class instance loses its prototype here, as it does in Electron.
    return { t: 'o', i, v: Object.keys(item).map((key) => [key, walk((item as Record<string, unknown>)[key], depth + 1, seen)]) }
  }

  function walk(item: unknown, depth: number, seen: Map<object, number>): Crossing {
    if (depth > MAX_DEPTH) throw new TypeError('Electron contextBridge recursion depth exceeded.  Nested objects deeper than 1000 are not supported.')
    if (typeof item === 'symbol') throw new TypeError('Cannot pass a symbol over the contextBridge')
    if (typeof item === 'function') {
      lastId += 1
      functions.set(lastId, item as (...args: unknown[]) => unknown)
      return { t: 'f', id: lastId }
    }
    if (item === null || typeof item !== 'object') return { t: 'v', v: item }
    if (item instanceof Promise) return encodePromise(item)
    if (item instanceof Error) return { t: 'e', message: item.message }
    return encodeObject(item, depth, seen)
  }

  function encode(value: unknown): Crossing {
    return walk(value, 0, new Map())
  }

  function call(id: number, args: unknown[]): unknown {
    answer = undefined
    post({ op: 'call', id, args: encode(args) })
    const result = answer as BridgeMessage | undefined
    answer = undefined
    if (result?.op === 'threw') throw new Error(result.message)
    if (result?.op !== 'returned') throw new Error('[standin] the other world did not answer')
    return decode(result.value)
  }

  function unwalk(item: Crossing, made: unknown[]): unknown {
    switch (item.t) {
      case 'v':
        return item.v
      case 'c':
        made[item.i] = item.v
        return item.v
      case 'r':
        return made[item.i]
      case 'a': {
        const list: unknown[] = []
        made[item.i] = list
        for (const inner of item.v) list.push(unwalk(inner, made))
        return list
      }
      case 'o': {
        const copy: Record<string, unknown> = {}
        made[item.i] = copy
        for (const [key, inner] of item.v) copy[key] = unwalk(inner, made)
        return copy
      }
      case 'e':
        return new Error(item.message)
      case 'f':
        return (...args: unknown[]) => call(item.id, args)
      case 'p':
        return new Promise((resolve, reject) => pending.set(item.id, { resolve, reject }))
    }
  }

  function decode(value: Crossing): unknown {
    return unwalk(value, [])
  }

  function run(message: { id: number; args: Crossing }): void {
    try {
      const value = functions.get(message.id)!(...(decode(message.args) as unknown[]))
      post({ op: 'returned', value: encode(value) })
    } catch (error) {
      post({ op: 'threw', message: messageOf(error) })
    }
  }

  function settle(message: { op: 'resolved'; id: number; value: Crossing } | { op: 'rejected'; id: number; message: string }): void {
    const waiting = pending.get(message.id)
    pending.delete(message.id)
    if (message.op === 'resolved') waiting?.resolve(decode(message.value))
    else waiting?.reject(new Error(message.message))
  }

  target.addEventListener(names.listen, (event) => {
    event.stopImmediatePropagation()
    const message = (event as CustomEvent<BridgeMessage>).detail
    if (message.op === 'call') run(message)
    else if (message.op === 'returned' || message.op === 'threw') answer = message
    else if (message.op === 'resolved' || message.op === 'rejected') settle(message)
    else handle(message)
  })
  return { encode, decode, post }
}
