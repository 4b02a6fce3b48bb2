// Stock Chromium cannot register a scheme, so app://host/path is served as http://host.app.<token>.localhost/path: a secure context
// with a real origin, mapped to a loopback server. The unguessable token keeps other local programs from reading what the app serves.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Origins {
  /** `<token>.localhost` */
  readonly suffix: string
  /** The app's URL as Chromium knows it; other URLs unchanged. */
  toChromium(url: string): string
  /** The other way. */
  fromChromium(url: string): string
  /** A Content-Security-Policy whose sources name a scheme of the app, in Chromium's words. */
  toChromiumPolicy(policy: string): string
}

const URL_PARTS = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i
/** A scheme source (`app:`) or host source (`app://bundle`) standing alone in a policy. */
const POLICY_SOURCE = /(^|[\s;])([a-z][a-z0-9+.-]*):(\/\/[^\s;]+)?(?=[\s;]|$)/gi

export function createOrigins(suffix: string, isOwnScheme: (scheme: string) => boolean): Origins {
  function toChromium(url: string): string {
    const [, scheme = '', host = '', rest = ''] = URL_PARTS.exec(url) ?? []
    if (!isOwnScheme(scheme.toLowerCase())) return url
    return `http://${host.toLowerCase()}.${scheme.toLowerCase()}.${suffix}${rest.startsWith('/') ? '' : '/'}${rest}`
  }

  return {
    suffix,
    toChromium,
    fromChromium(url) {
      const [, scheme = '', host = '', rest = ''] = URL_PARTS.exec(url) ?? []
      if (scheme !== 'http' || !host.endsWith(`.${suffix}`)) return url
      const own = host.slice(0, -suffix.length - 1)
      const dot = own.lastIndexOf('.')
      return `${own.slice(dot + 1)}://${own.slice(0, dot)}${rest}`
    },
    toChromiumPolicy: (policy) =>
      policy.replaceAll(POLICY_SOURCE, (all: string, before: string, scheme: string, rest: string | undefined) => {
        if (!isOwnScheme(scheme.toLowerCase())) return all
        return before + (rest === undefined ? `http://*.${suffix}` : toChromium(`${scheme}:${rest}`).replace(/\/$/, ''))
      })
  }
}

/** The token of a profile. Kept, because localStorage and IndexedDB are keyed by origin. */
export function originToken(userData: string): string {
  const file = join(userData, 'standin-origin-token')
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  const token = randomBytes(12).toString('hex')
  mkdirSync(userData, { recursive: true })
  writeFileSync(file, token, { mode: 0o600 })
  return token
}
