// Structured clone as text, for IPC between main and page. Runs in Node and, by its source text, inside every page:
// no imports but types, no names that the page's other parts use.

const CLONE_FAILED = 'An object could not be cloned.'
const PLAIN_ERRORS = new Set(['EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'])
/** Platform objects that Electron's IPC refuses, by the tag Object.prototype.toString gives them. */
const UNCLONEABLE =
  /^(?:Promise|Weak|Async|Generator|Window|Document|Event|Blob|File|Readable|Writable|Transform|Request|Response|Headers|FormData|URL|Abort|Message|Worker|SharedArrayBuffer|HTML|SVG|Node|Element)|(?:Element|Event|Iterator)$/

type Tagged = { $: string; value?: unknown; name?: string; stack?: string; cause?: unknown }

function bytesToBase64(bytes: Uint8Array): string {
  if (typeof Buffer !== 'undefined') return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  let binary = ''
  for (let from = 0; from < bytes.length; from += 32_768) binary += String.fromCharCode(...bytes.subarray(from, from + 32_768))
  return btoa(binary)
}

function base64ToBytes(text: string): Uint8Array<ArrayBuffer> {
  if (typeof Buffer !== 'undefined') {
    const pooled = Buffer.from(text, 'base64')
    const own = new Uint8Array(pooled.length)
    own.set(pooled)
    return own
  }
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index)
  return bytes
}

function primitive(item: unknown): unknown {
  switch (typeof item) {
    case 'string':
    case 'boolean':
      return item
    case 'number':
      if (Number.isFinite(item) && !Object.is(item, -0)) return item
      return { $: 'number', value: Object.is(item, -0) ? '-0' : String(item) } satisfies Tagged
    case 'undefined':
      return { $: 'undefined' } satisfies Tagged
    case 'bigint':
      return { $: 'bigint', value: String(item) } satisfies Tagged
    default:
      throw new Error(CLONE_FAILED)
  }
}

/**
 * Text that `decode` turns back into a structured clone of `value`: cycles, Dates, Maps, typed arrays and Errors included.
 * @throws Error with Electron's message where structured clone would refuse.
 */
export function encode(value: unknown): string {
  const seen = new Map<object, number>()

  function plain(item: object): object {
    // No prototype: a key named __proto__ stays a key.
    const copy: Record<string, unknown> = Object.create(null)
    for (const [key, inner] of Object.entries(item)) copy[key.startsWith('$') ? `$${key}` : key] = walk(inner)
    return copy
  }

  function failure(error: Error): Tagged {
    const tagged: Tagged = {
      $: 'error',
      name: PLAIN_ERRORS.has(error.name) ? error.name : 'Error',
      value: error.message,
      ...(error.stack === undefined ? {} : { stack: error.stack })
    }
    if ('cause' in error) tagged.cause = walk(error.cause)
    return tagged
  }

  function walk(item: unknown): unknown {
    if (item === null) return null
    if (typeof item !== 'object') return primitive(item)
    const index = seen.get(item)
    if (index !== undefined) return { $: 'ref', value: index } satisfies Tagged
    seen.set(item, seen.size)
    if (Array.isArray(item)) return Array.from(item, walk)
    if (item instanceof Error) return failure(item)
    if (ArrayBuffer.isView(item)) {
      const name = Object.prototype.toString.call(item).slice(8, -1)
      return { $: 'bytes', name, value: bytesToBase64(new Uint8Array(item.buffer, item.byteOffset, item.byteLength)) } satisfies Tagged
    }
    const tag = Object.prototype.toString.call(item).slice(8, -1)
    switch (tag) {
      case 'Date':
        return { $: 'date', value: walk(Number(item)) } satisfies Tagged
      case 'RegExp':
        return { $: 'regexp', value: [(item as RegExp).source, (item as RegExp).flags] } satisfies Tagged
      case 'Map':
        return { $: 'map', value: Array.from(item as Map<unknown, unknown>, ([key, inner]) => [walk(key), walk(inner)]) } satisfies Tagged
      case 'Set':
        return { $: 'set', value: Array.from(item as Set<unknown>, walk) } satisfies Tagged
      case 'ArrayBuffer':
        return { $: 'bytes', name: tag, value: bytesToBase64(new Uint8Array(item as ArrayBuffer)) } satisfies Tagged
      case 'Boolean':
      case 'Number':
      case 'String':
      case 'BigInt':
        return { $: 'boxed', value: walk(item.valueOf()) } satisfies Tagged
      default:
        if (UNCLONEABLE.test(tag)) throw new Error(CLONE_FAILED)
        return plain(item)
    }
  }

  return JSON.stringify(walk(value))
}

/** The value that `encode` was given, cloned. */
export function decode(text: string): unknown {
  const made: unknown[] = []
  const scope = globalThis as unknown as Record<string, new (...args: unknown[]) => object>

  function keep<T>(item: T): T {
    made.push(item)
    return item
  }

  function object(source: Record<string, unknown>): object {
    const copy = keep<Record<string, unknown>>({})
    for (const [key, inner] of Object.entries(source)) {
      const name = key.startsWith('$') ? key.slice(1) : key
      Object.defineProperty(copy, name, { value: walk(inner), configurable: true, enumerable: true, writable: true })
    }
    return copy
  }

  function failure(tagged: Tagged): Error {
    const error = keep(new scope[tagged.name ?? 'Error']!(tagged.value)) as Error
    Object.defineProperty(error, 'stack', { value: tagged.stack, configurable: true, writable: true })
    if ('cause' in tagged) Object.defineProperty(error, 'cause', { value: walk(tagged.cause), configurable: true, writable: true })
    return error
  }

  function boxed(inner: unknown): object {
    const slot = made.push(null) - 1
    const box: object = Object(walk(inner))
    made[slot] = box
    return box
  }

  function untag(tagged: Tagged): unknown {
    switch (tagged.$) {
      case 'number':
        return Number(tagged.value)
      case 'undefined':
        return undefined
      case 'bigint':
        return BigInt(tagged.value as string)
      case 'ref':
        return made[tagged.value as number]
      case 'date':
        return keep(new Date(walk(tagged.value) as number))
      case 'regexp':
        return keep(new RegExp(...(tagged.value as [string, string])))
      case 'error':
        return failure(tagged)
      case 'boxed':
        return boxed(tagged.value)
      case 'map': {
        const map = keep(new Map<unknown, unknown>())
        for (const [key, inner] of tagged.value as [unknown, unknown][]) map.set(walk(key), walk(inner))
        return map
      }
      case 'set': {
        const set = keep(new Set<unknown>())
        for (const inner of tagged.value as unknown[]) set.add(walk(inner))
        return set
      }
      case 'bytes': {
        const bytes = base64ToBytes(tagged.value as string)
        if (tagged.name === 'Uint8Array') return keep(bytes)
        return keep(tagged.name === 'ArrayBuffer' ? bytes.buffer : new scope[tagged.name!]!(bytes.buffer))
      }
      default:
        throw new Error(`[standin] unknown tag ${tagged.$}`)
    }
  }

  function walk(item: unknown): unknown {
    if (item === null || typeof item !== 'object') return item
    if (Array.isArray(item)) {
      const list = keep<unknown[]>([])
      for (const inner of item) list.push(walk(inner))
      return list
    }
    return '$' in item ? untag(item as Tagged) : object(item as Record<string, unknown>)
  }

  return walk(JSON.parse(text))
}
