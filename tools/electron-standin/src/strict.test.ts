// Strict modules and classes: what Electron lacks is undefined, what only the stand-in lacks throws, and both are recorded.
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { generateApiNames } from './generateApiNames.ts'
import { hooks } from './hooks.ts'
import { strictInstances, strictModule, watchListeners } from './strict.ts'

beforeEach(() => {
  hooks.violations.length = 0
})

describe('a strict module', () => {
  const shell = strictModule('shell', 'Shell', { beep: () => 'beep' }) as Record<string, unknown>

  it('gives what is there, silently', () => {
    expect((shell['beep'] as () => string)()).toBe('beep')
    expect(inspect(shell)).toContain('beep')
    expect(hooks.violations).toStrictEqual([])
  })

  it('throws for what Electron has and the stand-in has not', () => {
    expect(() => shell['trashItem']).toThrow('shell.trashItem exists in Electron but is not in the stand-in')
    expect(hooks.violations).toHaveLength(1)
  })

  it('leaves undefined, and records, what Electron has not either', () => {
    expect(shell['moveItemToTrash']).toBeUndefined()
    expect(hooks.violations).toStrictEqual(['shell.moveItemToTrash is not in this Electron'])
  })
})

describe('a strict class', () => {
  class Base extends EventEmitter {
    getTitle(): string {
      return 'title'
    }
  }
  class Window extends Base {
    show(): string {
      return this.getTitle()
    }
  }
  strictInstances(Window, 'BrowserWindow')
  const window = new Window()

  it('is still an emitter, with what it inherits', () => {
    expect(window).toBeInstanceOf(EventEmitter)
    expect(window.show()).toBe('title')
    expect(hooks.violations).toStrictEqual([])
  })

  it("throws for members of Electron's class and of its parent", () => {
    const members = window as unknown as Record<string, unknown>
    expect(() => members['setBrowserView']).toThrow('BrowserWindow#setBrowserView')
    expect(() => members['setThumbarButtons']).toThrow('BrowserWindow#setThumbarButtons')
    expect(members['setTransparent']).toBeUndefined()
    expect(hooks.violations).toHaveLength(3)
  })
})

describe('listeners', () => {
  it('are recorded when their event does not exist or never fires', () => {
    const emitter = new EventEmitter()
    watchListeners(emitter, 'BrowserWindow', ['close'])
    for (const event of ['close', 'swipe', 'scroll-touch-begin']) emitter.on(event, () => undefined)
    emitter.once(Symbol('own'), () => undefined)
    expect(hooks.violations).toStrictEqual([
      "BrowserWindow event 'swipe' never fires in the stand-in",
      "BrowserWindow has no event 'scroll-touch-begin' in this Electron"
    ])
  })
})

describe('the list of names', () => {
  it('is generated from the electron that is installed', () => {
    expect(readFileSync(new URL('./apiNames.gen.ts', import.meta.url), 'utf8')).toBe(generateApiNames())
  })
})
