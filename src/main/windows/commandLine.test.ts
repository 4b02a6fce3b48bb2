// What a launch may ask for, and what it may not.
import { describe, expect, it } from 'vitest'
import { parseLaunch, parseLink } from './commandLine.ts'

describe('parseLaunch', () => {
  it('opens the main window when nothing is asked', () => {
    expect(parseLaunch(['.', '--enable-logging'])).toEqual({ wish: { kind: 'open' }, windows: true, exitWhenIdle: false })
  })
  it('knows the flags', () => {
    expect(parseLaunch(['--toggle']).wish).toEqual({ kind: 'toggle' })
    expect(parseLaunch(['--no-windows', '--exit-when-idle'])).toMatchObject({ windows: false, exitWhenIdle: true })
  })
  it('puts the text of a link into the field, cleaned, and never sends it', () => {
    expect(parseLaunch(['--', 'aside://ask?q=What%20is%20S3%3F%1b%00']).wish).toEqual({ kind: 'ask', text: 'What is S3?' })
  })
})

describe('parseLink', () => {
  it('only opens the app for anything it does not know', () => {
    for (const link of ['aside://delete?all=1', 'https://ask?q=1', 'aside:', 'nonsense', '', 'javascript:alert(1)'])
      expect(parseLink(link)).toEqual({ kind: 'open' })
  })
  it('cuts an endless text', () => {
    expect(parseLink(`aside://ask?q=${'x'.repeat(200_000)}`)).toEqual({ kind: 'ask', text: 'x'.repeat(32_000) })
  })
})
