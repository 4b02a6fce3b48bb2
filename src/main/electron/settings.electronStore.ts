// The settings and the windows' places on electron-store: small JSON files, written atomically. No secrets in them.
import Store from 'electron-store'
import { z } from 'zod'
import { boundsSchema, defaultSettings, settingsPatchSchema, settingsSchema, type Settings } from '../../shared/domain.ts'
import type { Log } from '../log.ts'
import { patchSettings, type SettingsStore } from '../settings/settings.ts'

const placeSchema = z.object({ bounds: boundsSchema, displayId: z.number(), maximized: z.boolean() })
/** Where a window was: its bounds in screen coordinates and the display they belong to. */
export type WindowPlace = z.infer<typeof placeSchema>

export interface PlaceStore {
  get(window: string): WindowPlace | null
  set(window: string, place: WindowPlace): void
}

/** A file that can't be parsed is replaced by the defaults by electron-store itself (`clearInvalidConfig`). */
export function createSettingsStore(dataDir: string, log: Log): SettingsStore & { readonly places: PlaceStore } {
  const store = new Store<{ settings: unknown; places: Record<string, unknown> }>({
    cwd: dataDir,
    name: 'settings',
    clearInvalidConfig: true,
    defaults: { settings: defaultSettings, places: {} }
  })
  const read = (): Settings => {
    const stored = store.get('settings')
    const whole = settingsSchema.safeParse(stored)
    if (whole.success) return whole.data
    // From an older or a damaged file: what is valid is kept, the rest are defaults.
    const part = settingsPatchSchema.safeParse(stored)
    log.warn('settings.repaired')
    return part.success ? patchSettings(defaultSettings, part.data) : defaultSettings
  }
  let settings = read()
  return {
    get: () => settings,
    set(next) {
      settings = next
      store.set('settings', next)
    },
    places: {
      get(window) {
        const parsed = placeSchema.safeParse(store.get('places')[window])
        return parsed.success ? parsed.data : null
      },
      set(window, place) {
        store.set('places', { ...store.get('places'), [window]: place })
      }
    }
  }
}
