// Settings: every change is saved by the core at once and comes back as the mirror.
import type { ReactNode } from 'react'
import { useActions, useMirror } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { Segments, Switch } from '../../ui/Fields.tsx'
import { Banners } from '../shell/Announcements.tsx'
import { MenuButton } from '../sessions/SessionHeader.tsx'
import { HistorySettings } from '../history/HistorySettings.tsx'
import { CaptureBadge } from '../overlay/CaptureBadge.tsx'
import { ServiceSettings } from './ServiceSettings.tsx'
import { ShortcutSettings } from './ShortcutSettings.tsx'
import { Facts, type Fact } from '../../ui/Facts.tsx'

const themes = ['system', 'light', 'dark'] as const
const textSizes = ['0.9', '1', '1.15', '1.3', '1.6'] as const
const sections = ['look', 'shortcuts', 'overlay', 'service', 'privacy', 'about'] as const
type Section = (typeof sections)[number]

const contents: Record<Section, () => ReactNode> = {
  look: LookSettings,
  shortcuts: ShortcutSettings,
  overlay: OverlaySettings,
  service: ServiceSettings,
  privacy: HistorySettings,
  about: About
}

export function SettingsView(): ReactNode {
  return (
    <main className="page">
      <header className="page-head">
        <MenuButton />
        <div className="page-title">
          <h1>{text.settings.title}</h1>
        </div>
      </header>
      <Banners />
      <div className="page-scroll" tabIndex={0} role="region" aria-label={text.settings.title}>
        <div className="settings">
          {sections.map((section) => {
            const Content = contents[section]
            return (
              <section key={section} aria-labelledby={`settings-${section}`}>
                <h2 id={`settings-${section}`}>{text.settings.sections[section]}</h2>
                <div className="settings-body">
                  <Content />
                </div>
              </section>
            )
          })}
        </div>
      </div>
    </main>
  )
}

function LookSettings(): ReactNode {
  const actions = useActions()
  const theme = useMirror((mirror) => mirror.settings.theme)
  const textScale = useMirror((mirror) => mirror.settings.textScale)
  const reduceMotion = useMirror((mirror) => mirror.settings.reduceMotion)
  const words = text.settings
  return (
    <>
      <Segments
        label={words.theme}
        value={theme}
        options={themes.map((value) => ({ value, label: words.themes[value] }))}
        onChange={(value) => void actions.changeSettings({ theme: value })}
      />
      <Segments
        label={words.textSize}
        value={textSizes.find((size) => Number(size) === textScale) ?? null}
        options={textSizes.map((value) => ({ value, label: words.textSizes[value] }))}
        onChange={(value) => void actions.changeSettings({ textScale: Number(value) })}
      />
      <Switch
        label={words.motion}
        hint={words.motionHint}
        checked={reduceMotion === 'always'}
        onChange={(on) => void actions.changeSettings({ reduceMotion: on ? 'always' : 'system' })}
      />
    </>
  )
}

function OverlaySettings(): ReactNode {
  const actions = useActions()
  const overlay = useMirror((mirror) => mirror.settings.overlay)
  const protection = useMirror((mirror) => mirror.desktop.captureProtection)
  const words = text.settings
  return (
    <>
      <label className="range">
        <span>{words.opacity}</span>
        <input
          type="range"
          min={0.5}
          max={1}
          step={0.05}
          value={overlay.opacity}
          onChange={(event) => void actions.changeSettings({ overlay: { opacity: Number(event.target.value) } })}
        />
        <output className="num">{Math.round(overlay.opacity * 100)} %</output>
      </label>
      <Switch
        label={words.clickThrough}
        hint={words.clickThroughHint}
        checked={overlay.clickThrough}
        onChange={(clickThrough) => void actions.changeSettings({ overlay: { clickThrough } })}
      />
      <Switch
        label={words.hideFromCapture}
        hint={words.captureHint[protection]}
        checked={overlay.hideFromCapture}
        onChange={(hideFromCapture) => void actions.changeSettings({ overlay: { hideFromCapture } })}
      />
      <CaptureBadge />
    </>
  )
}

function About(): ReactNode {
  const desktop = useMirror((mirror) => mirror.desktop)
  const words = text.settings
  const facts: Fact[] = [
    [words.version, desktop.version],
    [words.platform, words.platforms[desktop.platform]],
    [words.licence, words.licenceName]
  ]
  return <Facts facts={facts} />
}
