// The lock file has an entry for every platform.
import { expect, it } from 'vitest'
import { gapsIn, platformOf } from './lockfile.ts'

it('finds an optional package without an entry, and knows its platform', () => {
  const packages = {
    'node_modules/lint': {
      version: '2.0.0',
      dev: true,
      optionalDependencies: { '@lint/darwin-arm64': '2.0.0', '@lint/linux-x64-musl': '2.0.0', loose: '^1.0.0' }
    },
    'node_modules/@lint/linux-x64-musl': { version: '2.0.0', optional: true }
  }
  expect(gapsIn(packages)).toEqual({
    'node_modules/@lint/darwin-arm64': { version: '2.0.0', dev: true, optional: true, os: ['darwin'], cpu: ['arm64'] }
  })
  expect(gapsIn({ ...packages, ...gapsIn(packages) })).toEqual({})
})

it.each([
  ['@oxlint/binding-linux-arm-gnueabihf', { os: ['linux'], cpu: ['arm'], libc: ['glibc'] }],
  ['@oxlint/binding-linux-arm64-musl', { os: ['linux'], cpu: ['arm64'], libc: ['musl'] }],
  ['@bufbuild/buf-win32-x64', { os: ['win32'], cpu: ['x64'] }],
  ['@bufbuild/buf-linux-armv7', { os: ['linux'], cpu: ['arm'] }],
  ['@oxc-parser/binding-wasm32-wasi', { cpu: ['wasm32'] }],
  ['@oxlint/binding-openharmony-arm64', { os: ['openharmony'], cpu: ['arm64'] }],
  ['fsevents', {}]
])('%s', (name, platform) => expect(platformOf(name)).toEqual(platform))
