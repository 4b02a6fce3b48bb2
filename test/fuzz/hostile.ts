// Messages that no good client sends, made from good ones. Everything follows from a seed, so that a failure can be had again.

export interface Chance {
  /** Uniform in [0, 1). */
  next(): number
  /** From 0 to below `most`. */
  below(most: number): number
  pick<T>(choices: readonly T[]): T
}

/** mulberry32: small, quick and the same everywhere. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (most: number): number => Math.floor(next() * most)
  return {
    next,
    below,
    pick: <T>(choices: readonly T[]): T => {
      if (choices.length === 0) throw new RangeError('there is nothing to pick from')
      return choices[below(choices.length)] as T
    }
  }
}

const texts = [
  '',
  ' ',
  '\u0000',
  '\u0000\u0001\u001b[31m\u007f\u0085',
  '\ud800',
  'a\udc00b\ud83d',
  '\u202eabc\u2066\u2069',
  '\ufeff\u200b\u200d\u2060',
  `e${'\u0301'.repeat(300)}`,
  '👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  'ﷺ'.repeat(50),
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  '-0',
  '1e999',
  '0x10',
  'true',
  '{"$gt":""}',
  '[]',
  "' OR 1=1; DROP TABLE turn; --",
  '%00%0d%0a%2e%2e%2f',
  '../../../../etc/passwd',
  '<script>alert(1)</script>',
  '${7*7}{{7*7}}#{7*7}',
  'text\r\nSet-Cookie: a=b\r\n\r\nHTTP/1.1 200 OK',
  '0190a000-0000-7000-8000-000000000000',
  '00000000-0000-0000-0000-000000000000',
  'clarify',
  '2026-02-30T25:61:61Z'
]
const numbers = [0, -0, 1, -1, 1.5, 2 ** 31, -(2 ** 31), 2 ** 53, -(2 ** 53), 1e308, -1e308, 5e-324, 4_294_967_296, 9_999_999_999_999]

export function hostileText(chance: Chance): string {
  const kind = chance.next()
  if (kind < 0.7) return chance.pick(texts)
  if (kind < 0.9) return String.fromCharCode(...Array.from({ length: 1 + chance.below(40) }, () => chance.below(65_536)))
  if (kind < 0.995) return chance.pick(texts).repeat(1 + chance.below(40))
  return 'x'.repeat(chance.pick([4_001, 33_000, 200_000]))
}

/** Anything that JSON can say. */
export function hostileValue(chance: Chance, depth = 0): unknown {
  const kind = chance.next()
  if (kind < 0.4) return hostileText(chance)
  if (kind < 0.6) return chance.pick(numbers)
  if (kind < 0.7) return chance.pick([null, true, false])
  if (kind < 0.72) return nested(chance.pick([10, 100, 1_000]), chance.next() < 0.5)
  if (depth > 3) return []
  if (kind < 0.86) return Array.from({ length: chance.below(5) }, () => hostileValue(chance, depth + 1))
  return Object.fromEntries(Array.from({ length: chance.below(5) }, () => [hostileText(chance), hostileValue(chance, depth + 1)]))
}

function nested(depth: number, isList: boolean): unknown {
  let value: unknown = null
  for (let n = 0; n < depth; n += 1) value = isList ? [value] : { a: value }
  return value
}

/** A good message with one to three things wrong, at any depth of it. */
export function spoil(good: unknown, chance: Chance): unknown {
  if (chance.next() < 0.05) return hostileValue(chance)
  const bad: unknown = structuredClone(good)
  for (let times = 1 + chance.below(3); times > 0; times -= 1) spoilOnce(bad, chance)
  return bad
}

function spoilOnce(message: unknown, chance: Chance): void {
  if (typeof message !== 'object' || message === null) return
  const fields = Object.keys(message)
  const target = message as Record<string, unknown>
  const field = fields.length === 0 ? 'a' : chance.pick(fields)
  const inner = target[field]
  const kind = chance.next()
  if (typeof inner === 'object' && inner !== null && kind < 0.6) return spoilOnce(inner, chance)
  if (kind < 0.8) target[field] = hostileValue(chance)
  else if (kind < 0.9) delete target[field]
  // Written as an own field, as JSON.parse does it: assigning would change the prototype.
  else
    Object.defineProperty(target, hostileText(chance).slice(0, 200), {
      value: hostileValue(chance),
      enumerable: true,
      configurable: true,
      writable: true
    })
}

/** The text of a message, now and then no longer JSON. */
export function spoiltText(message: unknown, chance: Chance): string {
  const text = JSON.stringify(message) ?? 'null'
  const kind = chance.next()
  if (kind < 0.85) return text
  if (kind < 0.9) return text.slice(0, chance.below(text.length + 1))
  if (kind < 0.95) {
    const at = chance.below(text.length + 1)
    return text.slice(0, at) + hostileText(chance) + text.slice(at)
  }
  if (kind < 0.99) return hostileText(chance)
  return chance.pick(['['.repeat(20_000), '{"a":'.repeat(20_000), `{"message":${'1'.repeat(5_000)}}`, '{"a":1,"a":2,"__proto__":{"x":1}}'])
}

export function hostileBytes(chance: Chance, most = 64): Buffer {
  return Buffer.from(Array.from({ length: chance.below(most) }, () => chance.below(256)))
}
