// What every socket dialect checks the same way.
import { aiErrorSchema } from '../../src/shared/wire/socket.ts'
import { spoil, spoiltText, type Chance } from './hostile.ts'
import type { Sending } from './socketLane.ts'

export const specifiedCodes = new Set([4001, 4002, 4003, 4004, 1008])
/** Larger frames end their connection. */
const MOST_BYTES = 1_048_576

/** Throws for an error that the specification does not have, also for a bug that was called `internal`. */
export function checkError(data: unknown): void {
  const { code, error } = aiErrorSchema.parse(data)
  if (!specifiedCodes.has(code) || error === undefined || error.code === 'internal')
    throw new Error(`an error that is not specified: ${JSON.stringify(data)}`)
}

/** A good frame with something wrong, as text, now and then as bytes; `due` says what it is answered with, the text as parsed. */
export function spoiltFrame(chance: Chance, good: unknown, due: (frame: unknown) => Pick<Sending, 'due' | 'open'>): Sending {
  const text = spoiltText(spoil(good, chance), chance)
  const bytes = Buffer.from(text)
  const breaks = bytes.length > MOST_BYTES
  const kind = chance.next()
  if (kind < 0.97) return { message: text, ...due(parsed(text)), breaks }
  if (kind < 0.995) return { message: { bytes, isText: false }, due: 1, breaks }
  // Not UTF-8: the connection ends with 1007.
  return { message: { bytes: Buffer.concat([bytes, Buffer.from([0xc3, 0x28, 0xff])]), isText: true }, due: 0, breaks: true }
}

export function isTooLarge(text: string): boolean {
  return Buffer.byteLength(text) > MOST_BYTES
}

/** Undefined for what is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Which is what was wanted of it.
    return undefined
  }
}

export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
