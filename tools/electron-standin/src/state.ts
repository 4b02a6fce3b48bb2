// State that one stand-in process has once, and the ways to refuse: not ready, not right, not here.
import { inspect } from 'node:util'
import type { Privileges } from 'electron'
import { hooks } from './hooks.ts'

export interface AppInfo {
  readonly path: string
  readonly name: string
  readonly version: string
}

export const state = {
  ready: false,
  /** app.quit() is closing windows. */
  quitting: false,
  /** The end of the process is decided. */
  exiting: false,
  info: { path: process.cwd(), name: 'Electron', version: '0.0.0' } as AppInfo,
  /** Chromium's command line switches, from argv and app.commandLine. */
  switches: new Map<string, string>(),
  /** Schemes registered as privileged. */
  schemes: new Map<string, Privileges>()
}

/** Records something that real Electron would do differently, or not at all, and goes on. */
export function violation(what: string): void {
  hooks.violations.push(what)
  console.error(`[standin] violation: ${what}`)
}

/** Throws, as Electron does, and records: the app's own code is wrong, whether or not it catches this. */
export function misuse(message: string): never {
  violation(message)
  throw new Error(message)
}

/** Throws what Electron throws when a module is used before `ready`. */
export function needReady(message: string): void {
  if (!state.ready) misuse(message)
}

/** Throws, and records: Electron has it, the stand-in does not. */
export function unsupported(what: string): never {
  const message = `${what} exists in Electron but is not in the stand-in`
  violation(message)
  throw new Error(`[standin] ${message}`)
}

export interface StandinEvent {
  defaultPrevented: boolean
  preventDefault(): void
}

export function electronEvent<T extends object = object>(extra?: T): StandinEvent & T {
  const event = {
    ...(extra as T),
    defaultPrevented: false,
    preventDefault() {
      event.defaultPrevented = true
    }
  }
  return event
}

/** Electron's complaint about an argument of the wrong type. */
export function conversionFailure(value: unknown, index = 0): TypeError {
  return new TypeError(`Error processing argument at index ${index}, conversion failure from ${inspect(value)}`)
}
