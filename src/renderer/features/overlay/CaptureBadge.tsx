// Whether the overlay shows up in shared screens: a promise only where the system keeps it.
import { Eye, EyeOff, TriangleAlert, type LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { useMirror } from '../../state/context.tsx'
import { text } from '../../text/text.ts'

type Capture = 'hidden' | 'not-guaranteed' | 'visible'
const icons: Record<Capture, LucideIcon> = { hidden: EyeOff, 'not-guaranteed': TriangleAlert, visible: Eye }

/** `visible`: the person has switched the protection off. */
export function captureOf(wanted: boolean, protection: 'hidden' | 'not-guaranteed'): Capture {
  return wanted ? protection : 'visible'
}

export function CaptureBadge(): ReactNode {
  const wanted = useMirror((mirror) => mirror.settings.overlay.hideFromCapture)
  const protection = useMirror((mirror) => mirror.desktop.captureProtection)
  const capture = captureOf(wanted, protection)
  const words = text.settings
  const Icon = icons[capture]
  const label = { hidden: words.captureHidden, 'not-guaranteed': words.captureNotGuaranteed, visible: words.captureOff }[capture]
  return (
    <span className="capture" data-capture={capture} title={capture === 'visible' ? undefined : words.captureHint[capture]}>
      <Icon size={13} aria-hidden />
      {capture === 'not-guaranteed' ? (
        <>
          <span className="sr-only">{words.hideFromCapture}: </span>
          {label}
        </>
      ) : (
        label
      )}
    </span>
  )
}
