// What a launch asks for: flags of the command line and aside:// links, from the first start or a second one. Pure.
import { cleanText } from '../../shared/kit/text.ts'
import { MAX_QUESTION_LENGTH } from '../../shared/turn.ts'

export type LaunchWish =
  | { readonly kind: 'open' }
  | { readonly kind: 'toggle' }
  | { readonly kind: 'show' }
  | { readonly kind: 'hide' }
  /** Shows the overlay with the text in its field; a link never sends by itself. */
  | { readonly kind: 'ask'; readonly text: string }

export interface Launch {
  readonly wish: LaunchWish
  readonly windows: boolean
  readonly exitWhenIdle: boolean
}

export const LINK_SCHEME = 'aside'

/** `aside://ask?q=…`, `aside://toggle`, `aside://show`; anything else only opens the app. */
export function parseLink(link: string): LaunchWish {
  const url = URL.canParse(link) ? new URL(link) : null
  if (url?.protocol !== `${LINK_SCHEME}:`) return { kind: 'open' }
  switch (url.hostname) {
    case 'ask':
      return { kind: 'ask', text: cleanText(url.searchParams.get('q') ?? '').slice(0, MAX_QUESTION_LENGTH) }
    case 'toggle':
      return { kind: 'toggle' }
    case 'show':
      return { kind: 'show' }
    default:
      return { kind: 'open' }
  }
}

export function parseLaunch(argv: readonly string[]): Launch {
  const flags = new Set(argv.filter((arg) => arg.startsWith('--')))
  const link = argv.find((arg) => arg.startsWith(`${LINK_SCHEME}://`))
  return {
    wish: wishOf(flags, link),
    windows: !flags.has('--no-windows'),
    exitWhenIdle: flags.has('--exit-when-idle')
  }
}

function wishOf(flags: ReadonlySet<string>, link: string | undefined): LaunchWish {
  if (link !== undefined) return parseLink(link)
  if (flags.has('--toggle')) return { kind: 'toggle' }
  if (flags.has('--show')) return { kind: 'show' }
  if (flags.has('--hide')) return { kind: 'hide' }
  return { kind: 'open' }
}
