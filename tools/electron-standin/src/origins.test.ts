// The app's scheme as Chromium knows it, and back.
import { assert, domain, property, webPath, webQueryParameters } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createOrigins } from './origins.ts'

const origins = createOrigins('t0ken.localhost', (scheme) => scheme === 'app')

describe('the origin of a scheme', () => {
  it.each([
    ['app://bundle/index.html?q=1#top', 'http://bundle.app.t0ken.localhost/index.html?q=1#top'],
    ['app://bundle', 'http://bundle.app.t0ken.localhost/'],
    ['APP://Bundle/A', 'http://bundle.app.t0ken.localhost/A'],
    ['app://bundle?q', 'http://bundle.app.t0ken.localhost/?q']
  ])('%s is %s for Chromium', (url, real) => {
    expect(origins.toChromium(url)).toBe(real)
  })

  it.each([
    'https://example.com/',
    'file:///etc/hosts',
    'other://bundle/',
    'data:text/html,x',
    'about:blank',
    '',
    'http://t0ken.localhost/',
    'http://x.t0ken.localhost.evil.example/'
  ])('leaves %j alone in both directions', (url) => {
    expect(origins.toChromium(url)).toBe(url)
    expect(origins.fromChromium(url)).toBe(url)
  })

  it('comes back as it was', () => {
    assert(
      property(domain(), webPath(), webQueryParameters(), (host, path, query) => {
        const url = `app://${host}${path === '' ? '/' : path}?${query}`
        expect(origins.fromChromium(origins.toChromium(url))).toBe(url)
      }),
      { numRuns: 50 }
    )
  })

  it("speaks of the app's scheme in a content security policy as Chromium must hear it", () => {
    expect(origins.toChromiumPolicy("default-src 'self' app: app://bundle; img-src data: https://x.example app://cdn/img; connect-src 'none'")).toBe(
      "default-src 'self' http://*.t0ken.localhost http://bundle.app.t0ken.localhost; img-src data: https://x.example http://cdn.app.t0ken.localhost/img; connect-src 'none'"
    )
  })
})
