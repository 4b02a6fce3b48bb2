// The link as people see it: trouble that is over within a second is not worth a word, good news comes at once.
import type { LinkStatus } from '../../shared/domain.ts'

/** An outage shorter than this is not shown. */
const CALM_MS = 1_000

export interface LinkSettler {
  /** Takes the link as it is now. */
  update(link: LinkStatus): void
  stop(): void
}

export function createLinkSettler(show: (link: LinkStatus) => void): LinkSettler {
  let shown: LinkStatus | null = null
  let latest: LinkStatus | null = null
  let timer: ReturnType<typeof setTimeout> | null = null

  function settle(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (latest === null || latest === shown) return
    shown = latest
    show(latest)
  }

  return {
    update: (link) => {
      latest = link
      if (shown === null || link.state === 'online' || shown.state !== 'online') settle()
      else timer ??= setTimeout(settle, CALM_MS)
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer)
      timer = null
    }
  }
}
