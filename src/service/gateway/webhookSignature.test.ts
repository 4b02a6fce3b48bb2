// Which deliveries are believed.
import { describe, expect, it } from 'vitest'
import { signatureOf, verifyDelivery, type SignedDelivery } from './webhookSignature.ts'

const secret = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const now = 1_614_265_330_000
const body = Buffer.from('{"test": 2432232314}')
const good: SignedDelivery = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: '1614265330',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  body
}

describe('verifyDelivery', () => {
  it('takes the example of the specification', () => {
    expect(verifyDelivery(good, `whsec_${secret}`, now)).toBe(good.id)
  })

  it('takes a plain secret, and any of several signatures', () => {
    const signature = `v1,AAAA v1a,x v1,${signatureOf(secret, 'd1', '1614265330', body)}`
    expect(verifyDelivery({ ...good, id: 'd1', signature }, secret, now + 299_000)).toBe('d1')
  })

  it.each<[string, Partial<SignedDelivery>, number?]>([
    ['another body', { body: Buffer.from('{"test": 2432232315}') }],
    ['another id', { id: 'msg_other' }],
    ['another time', { timestamp: '1614265331' }],
    ['no signature', { signature: undefined }],
    ['an empty signature', { signature: '' }],
    ['a signature of another version', { signature: good.signature?.replace('v1,', 'v2,') ?? '' }],
    ['a short signature', { signature: 'v1,g0hM' }],
    ['a recorded delivery', {}, now + 301_000],
    ['one from the future', {}, now - 301_000],
    ['a time that is no number', { timestamp: '1e9' }]
  ])('refuses %s', (_what, part, at = now) => {
    expect(() => verifyDelivery({ ...good, ...part }, `whsec_${secret}`, at)).toThrow(expect.objectContaining({ code: 'unauthenticated' }))
  })
})
