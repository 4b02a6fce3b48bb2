// What an action may reach: the list's spelling and no other, and nothing inside the own network.
import { describe, expect, it } from 'vitest'
import { allowedTarget, isPrivateAddress, targetsSchema } from './targets.ts'

const targets = targetsSchema.parse({
  notification: { billing: 'https://hooks.example.com/billing', inside: 'http://10.0.0.5:9000/x' },
  external_call: ['https://api.example.com/v1', 'https://[::1]/', 'https://127.0.0.1/', 'http://plain.example.com/'],
  allowPrivate: ['10.0.0.5:9000']
})
const to = (type: 'notification' | 'resource_action' | 'external_call', target: string) => () => allowedTarget({ type, target }, targets)

describe('allowedTarget', () => {
  it('knows what is listed, and what lies below it', () => {
    expect(to('notification', 'billing')().url.href).toBe('https://hooks.example.com/billing')
    expect(to('external_call', 'https://api.example.com/v1')().url.pathname).toBe('/v1')
    expect(to('external_call', 'https://API.example.com:443/v1/a?b=c')().url.pathname).toBe('/v1/a')
    expect(to('notification', 'inside')()).toMatchObject({ isPrivateAllowed: true })
  })

  it.each([
    'https://api.example.com/v10', 'https://api.example.com/', 'https://api.example.com.evil.example/v1', 'https://api.example.com@evil.example/v1',
    'https://user:word@api.example.com/v1', 'https://api.example.com/v1/../../admin', 'https://api.example.com/v1/%2e%2e/admin', 'https://api.example.com/v1\\..\\x',
    'http://api.example.com/v1', 'https://api.example.com:444/v1', 'file:///etc/passwd', '//api.example.com/v1', 'billing', '', '\u0000', 'javascript:alert(1)',
    'https://[::1]/', 'https://127.0.0.1/', 'https://2130706433/', 'https://0x7f.1/', 'http://plain.example.com/', 'x'.repeat(2_000)
  ])('refuses %s', (target) => {
    expect(to('external_call', target)).toThrow(expect.objectContaining({ code: 'forbidden' }))
  }) // prettier-ignore

  it('refuses names that nobody listed, also those that every object has', () => {
    for (const name of ['Billing', 'constructor', '__proto__', 'https://hooks.example.com/billing']) {
      expect(to('notification', name)).toThrow(expect.objectContaining({ code: 'forbidden' }))
    }
    expect(to('resource_action', 'billing')).toThrow(expect.objectContaining({ code: 'forbidden' }))
  })
})

describe('isPrivateAddress', () => {
  it.each(['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '::1', '::', 'fd00::1', 'fe80::1', '::ffff:127.0.0.1', '::ffff:a00:1', '64:ff9b::7f00:1', 'name'])(
    'is true of %s', (ip) => expect(isPrivateAddress(ip)).toBe(true)) // prettier-ignore
  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700:4700::1111', '::ffff:8.8.8.8'])('is false of %s', (ip) =>
    expect(isPrivateAddress(ip)).toBe(false)
  )
})
