// Puts a fake bridge on the page, from the address: ?seed=empty&theme=dark&token=30&session=none
import '../../src/renderer/csp.ts'
import type { PreloadApi } from '../../src/shared/bridge.ts'
import { defaultSettings, type Settings } from '../../src/shared/domain.ts'
import { createFakeBridge, type FakeBridge } from './fake-bridge.ts'

/** The page's global object, without the types of a browser: this file is checked with Node's. */
interface Page {
  location: { search: string }
  aside?: PreloadApi
  fake?: FakeBridge
}

export function installFake(page: Page, window: PreloadApi['window']): void {
  const query = new URLSearchParams(page.location.search)
  const theme = query.get('theme') as Settings['theme'] | null
  const fake = createFakeBridge({
    window,
    seed: query.get('seed') === 'empty' ? 'empty' : 'full',
    repeat: Number(query.get('repeat') ?? 1),
    tokenMs: Number(query.get('token') ?? 30),
    settings: { theme: theme ?? defaultSettings.theme, textScale: Number(query.get('scale') ?? 1) },
    ...(query.get('session') === 'none' ? { overlaySessionId: null } : {})
  })
  page.aside = fake.api
  page.fake = fake
}
