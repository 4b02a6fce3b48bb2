// The plain truth about what is kept, how, and what leaves the machine.
import type { ReactNode } from 'react'
import { useMirror } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { Facts, type Fact } from '../../ui/Facts.tsx'

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}

export function PrivacySettings(): ReactNode {
  const desktop = useMirror((mirror) => mirror.desktop)
  const service = useMirror((mirror) => mirror.link.service)
  const openaiBaseUrl = useMirror((mirror) => mirror.settings.service.openaiBaseUrl)
  const words = text.settings
  const leaves = !service.embedded
    ? words.leavesService(service.address)
    : openaiBaseUrl === ''
      ? words.leavesNothing
      : words.leavesOpenai(hostOf(openaiBaseUrl))
  const facts: Fact[] = [
    [words.leavesTitle, leaves],
    ...(desktop.historyIncident === null ? [] : [[words.incident, desktop.historyIncident] as const])
  ]
  return <Facts facts={facts} className="statements" />
}
