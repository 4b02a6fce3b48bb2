// Puts a fake bridge on the page, from the address: ?seed=empty&theme=dark&token=30&session=none
import '../../src/renderer/csp.ts'
import type { Draft, PreloadApi } from '../../src/shared/bridge.ts'
import { defaultSettings, type Settings } from '../../src/shared/domain.ts'
import { createFakeBridge, type FakeBridge } from './fake-bridge.ts'

/** The page's global object, without the types of a browser: this file is checked with Node's. */
interface Page {
  location: { search: string }
  aside?: PreloadApi
  fake?: FakeBridge
  /** Stands for main's disk: it outlives a reload of the page. */
  readonly sessionStorage: { getItem(key: string): string | null; setItem(key: string, value: string): void }
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
    ...(query.get('session') === 'none' ? { overlaySessionId: null } : {}),
    ...(query.has('locked') ? { locked: 'four plain words here' } : {}),
    ...(query.has('key') ? { desktop: { keyStorage: query.get('key') as 'vault' | 'file' | 'passphrase' } } : {}),
    ...(query.has('nobackup') ? { lastBackupAt: null } : {}),
    stepMs: Number(query.get('step') ?? 30),
    drafts: JSON.parse(page.sessionStorage.getItem('drafts') ?? '{}') as Readonly<Record<string, Draft>>,
    onDrafts: (drafts) => page.sessionStorage.setItem('drafts', JSON.stringify(drafts))
  })
  page.aside = fake.api
  page.fake = fake
}
