// The pipe to Chromium: messages whole, however they are cut; every command settled when the other end goes.
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { connectCdp, createFrameReader } from './cdp.ts'

describe('the frame reader', () => {
  it('puts messages together from pieces cut anywhere', () => {
    const whole = Buffer.from('{"a":"é"}\0{"b":2}\0')
    for (let size = 1; size <= whole.length; size += 1) {
      const got: string[] = []
      const read = createFrameReader((text) => got.push(text))
      for (let from = 0; from < whole.length; from += size) read(whole.subarray(from, from + size))
      expect(got).toStrictEqual(['{"a":"é"}', '{"b":2}'])
    }
  })
})

function connect() {
  const output = new PassThrough()
  const input = new PassThrough()
  const sent: { id: number; method: string; sessionId?: string }[] = []
  output.on(
    'data',
    createFrameReader((text) => sent.push(JSON.parse(text) as (typeof sent)[number]))
  )
  const say = (message: object): void => void input.write(`${JSON.stringify(message)}\0`)
  return { cdp: connectCdp(output, input), input, sent, say }
}

describe('a CDP connection', () => {
  it('gives each command its own answer, in whatever order they come', async () => {
    const { cdp, say } = connect()
    const first = cdp.send('Browser.getVersion')
    const second = cdp.send('Target.getTargets', {})
    say({ id: 2, result: { targetInfos: [] } })
    say({ id: 1, error: { code: -32_000, message: 'no' } })
    await expect(second).resolves.toStrictEqual({ targetInfos: [] })
    await expect(first).rejects.toThrow('Browser.getVersion: no')
  })

  it('hands events of a session to that session only', async () => {
    const { cdp, say, sent } = connect()
    const heard: string[] = []
    const session = cdp.session('s1', (name) => heard.push(name))
    const answered = session.send('Page.enable')
    say({ method: 'Page.loadEventFired', params: { timestamp: 1 }, sessionId: 's1' })
    say({ method: 'Page.loadEventFired', params: { timestamp: 1 }, sessionId: 's2' })
    say({ id: 1, result: {} })
    await answered
    expect(heard).toStrictEqual(['Page.loadEventFired'])
    expect(sent[0]).toMatchObject({ method: 'Page.enable', sessionId: 's1' })
  })

  it('rejects what waits, and what comes later, when Chromium goes', async () => {
    const { cdp, input } = connect()
    const waiting = cdp.send('Browser.getVersion')
    input.destroy()
    await expect(waiting).rejects.toThrow('Chromium has gone')
    await expect(cdp.send('Browser.getVersion')).rejects.toThrow('Chromium has gone')
    expect(cdp.gone.aborted).toBe(true)
  })
})
