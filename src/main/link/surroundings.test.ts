// What is noticed of the machine's surroundings, and what is not taken for a change.
import type { NetworkInterfaceInfo } from 'node:os'
import { describe, expect, test } from 'vitest'
import { createManualTime } from '../../../test/fakes/link-timers.ts'
import { addressesOf, watchSurroundings } from './surroundings.ts'

const at = (cidr: string, internal = false): NetworkInterfaceInfo => ({
  address: cidr.split('/')[0] ?? '',
  netmask: '',
  family: 'IPv4',
  mac: '',
  internal,
  cidr
})
const loopback = { lo: [at('127.0.0.1/8', true)] }

describe('addressesOf', () => {
  test('leaves loopback out, and does not care for the order', () => {
    expect(addressesOf(loopback)).toBe('')
    const [a, b] = [at('10.0.0.2/24'), at('10.0.0.3/24')]
    expect(addressesOf({ ...loopback, wifi: [a, b] })).toBe(addressesOf({ wifi: [b, a], none: undefined }))
    expect(addressesOf({ wifi: [a] })).not.toBe(addressesOf({ wifi: [b] }))
  })
})

describe('watchSurroundings', () => {
  function bench() {
    const time = createManualTime()
    const told: string[] = []
    const machine = { interfaces: { ...loopback, wifi: [at('10.0.0.2/24')] } as Record<string, NetworkInterfaceInfo[]>, skew: 0 }
    const stop = watchSurroundings({
      clock: { now: () => time.now() + machine.skew },
      timers: time,
      interfaces: () => machine.interfaces,
      onChange: (what) => told.push(what)
    })
    return { time, told, machine, stop }
  }
  test('says nothing while nothing changes', async () => {
    const { time, told, stop } = bench()
    await time.pass(600_000)
    stop()
    expect(told).toEqual([])
  })
  test('tells of a network that came, went or changed, once each', async () => {
    const { time, told, machine, stop } = bench()
    machine.interfaces = loopback
    await time.pass(3_000)
    machine.interfaces = { ...loopback, wifi: [at('192.168.1.9/24')] }
    await time.pass(30_000)
    stop()
    expect(told).toEqual(['network', 'network'])
  })
  test.each([-3_600_000, 3_600_000])('tells of a sleep or a clock that jumped by %d ms', async (skew) => {
    const { time, told, machine, stop } = bench()
    machine.skew = skew
    await time.pass(30_000)
    stop()
    expect(told).toEqual(['time'])
  })
  test('looks no more when it is stopped', async () => {
    const { time, told, machine, stop } = bench()
    await time.pass(6_000)
    stop()
    machine.interfaces = {}
    await time.pass(60_000)
    expect(told).toEqual([])
  })
})
