// Makes modules and classes as strict as Electron's types: what Electron lacks is undefined, what only the stand-in
// lacks throws, and both are recorded.
import type { EventEmitter } from 'node:events'
import { apiNames } from './apiNames.gen.ts'
import { unsupported, violation } from './state.ts'

export type InterfaceName = keyof typeof apiNames

/** Names that the language, an inspector or a test's matcher asks of any object. */
const ASKED_OF_ANYTHING = new Set(['then', 'toJSON', 'constructor', 'inspect', 'nodeType', '$$typeof', 'asymmetricMatch', '_isBuffer'])

/** Events of Node's own emitter. */
const EMITTER_EVENTS = new Set(['newListener', 'removeListener', 'error'])

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean)

function names(name: InterfaceName, kind: 'members' | 'events'): Set<string> {
  const own = words(apiNames[name][kind])
  const { parent } = apiNames[name]
  return parent === null ? new Set(own) : new Set([...names(parent, kind), ...own])
}

/** Electron has no such member either: undefined there, too, and nearly always a mistake. */
function unknown(member: string): undefined {
  violation(`${member} is not in this Electron`)
}

/** A module object that throws for members which Electron has and `target` has not. */
export function strictModule<T extends object>(label: string, name: InterfaceName, target: T): T {
  const known = names(name, 'members')
  return new Proxy(target, {
    get(inner, member) {
      if (member in inner || typeof member !== 'string' || ASKED_OF_ANYTHING.has(member)) return Reflect.get(inner, member) as unknown
      return known.has(member) ? unsupported(`${label}.${member}`) : unknown(`${label}.${member}`)
    }
  })
}

type Constructor = abstract new (...args: never[]) => object

/** The same for the instances of a class: the trap stands at the end of the prototype chain. */
export function strictInstances(target: Constructor, name: InterfaceName): void {
  const known = names(name, 'members')
  let last = target.prototype as object
  for (
    let next = Object.getPrototypeOf(last) as object;
    next !== Object.prototype && !isEmitterPrototype(next);
    next = Object.getPrototypeOf(next) as object
  )
    last = next
  const base = Object.getPrototypeOf(last) as object
  const trap = new Proxy(Object.create(base) as object, {
    get(inner, member, receiver) {
      if (member in inner || typeof member !== 'string' || ASKED_OF_ANYTHING.has(member)) return Reflect.get(inner, member, receiver) as unknown
      return known.has(member) ? unsupported(`${name}#${member}`) : unknown(`${name}#${member}`)
    }
  })
  Object.setPrototypeOf(last, trap)
}

const isEmitterPrototype = (prototype: object): boolean => Object.hasOwn(prototype, 'on') && Object.hasOwn(prototype, 'emit')

/** Records a listener for an event that Electron does not have, or that the stand-in never fires. */
export function watchListeners(emitter: EventEmitter, name: InterfaceName, fires: readonly string[]): void {
  const real = names(name, 'events')
  const own = new Set(fires)
  emitter.on('newListener', (event: string | symbol) => {
    if (typeof event !== 'string' || own.has(event) || EMITTER_EVENTS.has(event)) return
    violation(real.has(event) ? `${name} event '${event}' never fires in the stand-in` : `${name} has no event '${event}' in this Electron`)
  })
}
