// Theme, text size and motion: from Settings and the system, onto the page's root element.
import { useEffect, useSyncExternalStore } from 'react'
import type { Settings } from '../../shared/domain.ts'
import { useMirror } from '../state/context.tsx'

const darkQuery = '(prefers-color-scheme: dark)'
const motionQuery = '(prefers-reduced-motion: reduce)'

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = window.matchMedia(query)
      media.addEventListener('change', listener)
      return () => media.removeEventListener('change', listener)
    },
    () => window.matchMedia(query).matches
  )
}

function resolveTheme(theme: Settings['theme'], systemDark: boolean): 'light' | 'dark' {
  return theme === 'system' ? (systemDark ? 'dark' : 'light') : theme
}

/** The theme in use. */
export function useTheme(): 'light' | 'dark' {
  return resolveTheme(
    useMirror((mirror) => mirror.settings.theme),
    useMedia(darkQuery)
  )
}

/** Before the first snapshot only the system is known. */
export function applySystemLook(root: HTMLElement): void {
  root.dataset['theme'] = window.matchMedia(darkQuery).matches ? 'dark' : 'light'
  root.dataset['motion'] = window.matchMedia(motionQuery).matches ? 'reduced' : 'full'
}

/** Keeps the root element in step with the settings. */
export function useLook(): void {
  const theme = useTheme()
  const textScale = useMirror((mirror) => mirror.settings.textScale)
  const always = useMirror((mirror) => mirror.settings.reduceMotion === 'always')
  const system = useMedia(motionQuery)
  useEffect(() => {
    const root = document.documentElement
    root.dataset['theme'] = theme
    root.dataset['motion'] = always || system ? 'reduced' : 'full'
    root.style.setProperty('--text-scale', String(textScale))
  }, [theme, textScale, always, system])
}
