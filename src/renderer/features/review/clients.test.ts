import { describe, expect, it } from 'vitest'
import { suggestClients } from './clients.ts'

const clients = ['Álamo Foods', 'Claims & Co', 'Meridian', 'Northwind Traders', 'Old Meridian', 'Submeridian']

describe('the suggested clients', () => {
  it('begin with what is typed, then hold it, whatever case and accents', () => {
    expect(suggestClients(clients, 'merid')).toEqual(['Meridian', 'Old Meridian', 'Submeridian'])
    expect(suggestClients(clients, 'ALAMO')).toEqual(['Álamo Foods'])
    expect(suggestClients(clients, '.*')).toEqual([])
  })

  it('are the first few where nothing is typed', () => {
    expect(suggestClients(clients, ' ')).toEqual(clients)
    expect(
      suggestClients(
        Array.from({ length: 50 }, (_, n) => `Client ${n}`),
        ''
      )
    ).toHaveLength(8)
  })
})
