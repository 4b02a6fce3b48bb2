// The port of the settings. The adapter on electron-store lives in electron/, because that package needs Electron.
import type { Settings, SettingsPatch } from '../../shared/domain.ts'

export interface SettingsStore {
  get(): Settings
  set(settings: Settings): void
}

/** The settings with a patch on top; what is absent stays. */
export function patchSettings(settings: Settings, patch: SettingsPatch): Settings {
  return {
    ...settings,
    ...(patch.theme === undefined ? {} : { theme: patch.theme }),
    ...(patch.reduceMotion === undefined ? {} : { reduceMotion: patch.reduceMotion }),
    ...(patch.textScale === undefined ? {} : { textScale: patch.textScale }),
    shortcuts: { ...settings.shortcuts, ...withoutUndefined(patch.shortcuts) },
    overlay: { ...settings.overlay, ...withoutUndefined(patch.overlay) },
    service: { ...settings.service, ...withoutUndefined(patch.service) }
  }
}

function withoutUndefined<T extends object>(part: T | undefined): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(part ?? {}).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
