// Small decisions of the screens: what a badge may promise, what is asked, what is called what.
import { describe, expect, it } from 'vitest'
import type { SessionDetails } from '../../shared/domain.ts'
import { quickActionOf } from './ask/QuickActions.tsx'
import { lengthWords } from './ask/Composer.tsx'
import { captureOf } from './overlay/CaptureBadge.tsx'
import { titleOf } from './sessions/NewSessionDialog.tsx'
import { isServerAddress } from './settings/ServiceSettings.tsx'
import { rangeOf } from './usage/UsageView.tsx'

describe('the capture badge', () => {
  it('promises to hide only where the system keeps the promise', () => {
    expect(captureOf(true, 'hidden')).toBe('hidden')
    expect(captureOf(true, 'not-guaranteed')).toBe('not-guaranteed')
    expect(captureOf(false, 'hidden')).toBe('visible')
  })
})

function press(code: string, change = {}): ReturnType<typeof quickActionOf> {
  return quickActionOf({ code, altKey: true, ctrlKey: false, metaKey: false, ...change })
}

describe('quick actions', () => {
  it('are on Alt and a digit, on both rows of digits', () => {
    expect([press('Digit1'), press('Numpad6'), press('Digit7'), press('KeyA')]).toEqual(['clarify', 'summarise', null, null])
  })
  it('leave AltGr and other modifiers alone', () => {
    expect(press('Digit1', { ctrlKey: true })).toBeNull()
    expect(press('Digit1', { altKey: false })).toBeNull()
  })
})

describe('the length of a question', () => {
  it('is spoken of only near its limit', () => {
    expect(lengthWords(29_999)).toBeNull()
    expect(lengthWords(31_000)).toMatchObject({ over: false })
    expect(lengthWords(32_000)?.over).toBe(false)
    expect(lengthWords(32_001)?.over).toBe(true)
  })
})

describe('a session without a title', () => {
  const details: SessionDetails = {
    title: '',
    clientName: '',
    meetingType: '',
    projectContext: '',
    serviceTypes: [],
    cloudProviders: [],
    customFields: {},
    notes: ''
  }
  it('is named after what is known of it', () => {
    expect(titleOf({ ...details, title: ' Own ' }, 0)).toBe('Own')
    expect(titleOf({ ...details, clientName: 'Meridian Bank', meetingType: 'Cost review' }, 0)).toBe('Meridian Bank, cost review')
    expect(titleOf(details, 0)).toMatch(/^Meeting, /)
  })
})

describe('a server address', () => {
  it('is http or https, and never carries a password', () => {
    expect(['', 'http://127.0.0.1:8000/v1', 'https://example.com'].map(isServerAddress)).toEqual([true, true, true])
    expect(['file:///etc', 'javascript:alert(1)', 'localhost', 'https://me:secret@example.com'].map(isServerAddress)).toEqual([
      false,
      false,
      false,
      false
    ])
  })
})

describe('a range of days', () => {
  it('begins at a local midnight and holds today', () => {
    const now = new Date('2026-03-03T15:00:00').getTime()
    expect(rangeOf(7, now)).toEqual({ from: new Date('2026-02-25T00:00:00').getTime(), to: new Date('2026-03-04T00:00:00').getTime() })
  })
})
