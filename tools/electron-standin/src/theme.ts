// `nativeTheme`, and what pages see of it as prefers-color-scheme.
import { EventEmitter } from 'node:events'
import { hooks } from './hooks.ts'
import { conversionFailure } from './state.ts'
import { strictModule, watchListeners } from './strict.ts'

type ThemeSource = 'system' | 'light' | 'dark'
const SOURCES: ReadonlySet<string> = new Set(['system', 'light', 'dark'])

let source: ThemeSource = 'system'
/** null: the system has not been told to be either, pages keep Chromium's own. */
let systemDark: boolean | null = null
const changes = new EventEmitter().setMaxListeners(0)

const isDark = (): boolean => (source === 'system' ? systemDark === true : source === 'dark')

/** For CDP's Emulation.setEmulatedMedia; empty when nothing was chosen. */
export function colorSchemeFeature(): { name: string; value: string }[] {
  if (source === 'system' && systemDark === null) return []
  return [{ name: 'prefers-color-scheme', value: isDark() ? 'dark' : 'light' }]
}

/** Returns the function that ends the subscription. */
export function onThemeChange(listener: () => void): () => void {
  changes.on('change', listener)
  return () => void changes.off('change', listener)
}

class NativeTheme extends EventEmitter {
  readonly shouldUseHighContrastColors = false
  readonly shouldUseInvertedColorScheme = false
  readonly shouldDifferentiateWithoutColor = false
  readonly inForcedColorsMode = false
  readonly prefersReducedTransparency = false

  get shouldUseDarkColors(): boolean {
    return isDark()
  }

  get shouldUseDarkColorsForSystemIntegratedUI(): boolean {
    return isDark()
  }

  get themeSource(): ThemeSource {
    return source
  }

  set themeSource(value: ThemeSource) {
    if (!SOURCES.has(value)) throw conversionFailure(value)
    source = value
    changed()
  }
}

const theme = new NativeTheme()
watchListeners(theme, 'NativeTheme', ['updated'])

function changed(): void {
  changes.emit('change')
  theme.emit('updated')
}

hooks.setSystemDark = (dark) => {
  systemDark = dark
  changed()
}

export const nativeTheme = strictModule('nativeTheme', 'NativeTheme', theme)
