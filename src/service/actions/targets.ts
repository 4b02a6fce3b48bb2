// Where actions may go: the operator's allow-list, by name or by address. Nothing else is ever called, and nothing inside the own
// network unless the list says so. Pure.
import { BlockList, isIP } from 'node:net'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { AgentAction } from '../decisions/contract.ts'

const address = z.url({ protocol: /^https?$/ })

export const targetsSchema = z.strictObject({
  /** Names that notifications and resource actions use, and where each is posted to. */
  notification: z.record(z.string().min(1).max(200), address).default({}),
  resource_action: z.record(z.string().min(1).max(200), address).default({}),
  /** Addresses that external calls may go to: each one, and what lies below it. */
  external_call: z.array(address).max(1_000).default([]),
  /** `host:port` inside the own network, or without encryption, that may be called all the same. */
  allowPrivate: z.array(z.string().max(300)).max(100).default([])
})
export type Targets = z.infer<typeof targetsSchema>

const own = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24],
  ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4]
] as const) own.addSubnet(net, bits, 'ipv4') // prettier-ignore
for (const [net, bits] of [
  ['::', 128], ['::1', 128], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['100::', 64], ['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['fc00::', 7], ['fe80::', 10], ['ff00::', 8]
] as const) own.addSubnet(net, bits, 'ipv6') // prettier-ignore

/** Whether an IP address is not one of the public internet. IPv4 inside IPv6 counts as what it is. */
export function isPrivateAddress(ip: string): boolean {
  const family = isIP(ip)
  return family === 0 || own.check(ip, family === 6 ? 'ipv6' : 'ipv4')
}

export interface AllowedTarget {
  readonly url: URL
  /** It may be inside the own network. */
  readonly isPrivateAllowed: boolean
}

/** Throws `forbidden` for what is not on the list. */
export function allowedTarget({ type, target }: Pick<AgentAction, 'type' | 'target'>, targets: Targets): AllowedTarget {
  const url = type === 'external_call' ? listedAddress(target, targets.external_call) : namedAddress(target, targets[type])
  if (url === null) throw forbidden(`The target of this ${type} is not on the list of allowed ones.`)
  if (url.username !== '' || url.password !== '') throw forbidden('A target may not carry a name or password in its address.')
  const host = `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`
  const isPrivateAllowed = targets.allowPrivate.includes(host)
  if (!isPrivateAllowed) {
    if (url.protocol !== 'https:') throw forbidden('A target must be reached over https.')
    const ip = url.hostname.replace(/^\[(.*)\]$/, '$1')
    if (isIP(ip) !== 0 && isPrivateAddress(ip)) throw forbidden('A target may not be inside the own network.')
  }
  return { url, isPrivateAllowed }
}

function namedAddress(target: string, names: Readonly<Record<string, string>>): URL | null {
  return Object.hasOwn(names, target) ? URL.parse(names[target] ?? '') : null
}

/** The parsed forms are compared, so that no spelling gets past: dots, escapes, a host that only begins like another. */
function listedAddress(target: string, allowed: readonly string[]): URL | null {
  const url = URL.parse(target)
  if (url === null || /%2e|%2f|%5c|\\/i.test(target)) return null
  const isBelow = allowed.some((entry) => {
    const base = new URL(entry)
    const folder = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`
    return url.origin === base.origin && (url.pathname === base.pathname || url.pathname.startsWith(folder))
  })
  return isBelow ? url : null
}

const forbidden = (message: string): CopilotError => new CopilotError('forbidden', message)
