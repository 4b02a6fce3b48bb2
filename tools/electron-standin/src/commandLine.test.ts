// Electron's command line.
import { describe, expect, it } from 'vitest'
import { parseCommandLine } from './commandLine.ts'

describe("Electron's command line", () => {
  it('takes the first bare word for the app and reads switches on both sides of it', () => {
    const { entry, switches } = parseCommandLine(['--no-sandbox', '.', '--user-data-dir=/tmp/a=b', 'word', '--flag', '--', '--not-a-switch'])
    expect(entry).toBe('.')
    expect(Object.fromEntries(switches)).toStrictEqual({ 'no-sandbox': '', 'user-data-dir': '/tmp/a=b', flag: '' })
  })

  it('reads what Playwright passes', () => {
    const { preloads, entry, inspect, switches } = parseCommandLine([
      '-r',
      '/loader.js',
      '--no-sandbox',
      '--inspect=0',
      '--remote-debugging-port=0',
      '/app',
      'x'
    ])
    expect({ preloads, entry, inspect }).toStrictEqual({ preloads: ['/loader.js'], entry: '/app', inspect: { port: 0, wait: false } })
    expect(switches.get('remote-debugging-port')).toBe('0')
  })

  it.each([
    [['--inspect', '.'], { port: 9229, wait: false }],
    [['--inspect-brk=127.0.0.1:5858', '.'], { port: 5858, wait: true }],
    [['.'], null]
  ])('opens the inspector as %j says', (argv, inspect) => {
    expect(parseCommandLine(argv).inspect).toStrictEqual(inspect)
  })

  it('asks for the version only before the app', () => {
    expect(parseCommandLine(['--version']).version).toBe(true)
    expect(parseCommandLine(['.', '--version']).version).toBe(false)
  })

  it('starts the current folder when nothing is named', () => {
    expect(parseCommandLine([]).entry).toBeUndefined()
  })
})
