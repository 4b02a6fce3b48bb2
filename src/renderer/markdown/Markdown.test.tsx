// @vitest-environment jsdom
// What reaches the page: citations as buttons, links through the core, everything untrusted as text.
import { act, type ReactNode } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFakeBridge, type FakeBridge } from '../../../test/renderer/fake-bridge.ts'
import type { Citation } from '../../shared/turn.ts'
import { createBridge } from '../bridge.ts'
import { StoreProvider } from '../state/context.tsx'
import { createAppStore, type AppStore } from '../state/store.ts'
import { CitationContext, Markdown } from './Markdown.tsx'

declare global {
  var IS_REACT_ACT_ENVIRONMENT: boolean
}
globalThis.IS_REACT_ACT_ENVIRONMENT = true

let fake: FakeBridge
let store: AppStore
let root: Root
let host: HTMLElement

beforeEach(() => {
  fake = createFakeBridge({ seed: 'empty' })
  store = createAppStore(createBridge(fake.api), {
    frames: { request: () => () => undefined },
    place: { read: () => null, write: () => undefined },
    newId: () => 'id',
    random: Math.random
  })
  host = document.createElement('div')
  root = createRoot(host)
})
afterEach(() => {
  act(() => root.unmount())
  store.stop()
  fake.stop()
})

function show(content: ReactNode): void {
  act(() => root.render(<StoreProvider store={store}>{content}</StoreProvider>))
}

describe('Markdown', () => {
  it('renders the same page whether the text streamed or came at once', () => {
    const pieces = fc.array(
      fc.constantFrom(
        '# A',
        '\n',
        '\n\n',
        'word ',
        '- x',
        '| a | b |\n|---|---|\n| 1 | 2 |\n',
        '```js\nlet a\n```\n',
        '**b** ',
        '[1]',
        '1. y',
        '> q'
      ),
      { maxLength: 25 }
    )
    fc.assert(
      fc.property(pieces, (parts) => {
        show(<Markdown key="stream" source="" streaming />)
        for (let end = 1; end <= parts.length; end += 1)
          show(<Markdown key="stream" source={parts.slice(0, end).join('')} streaming={end < parts.length} />)
        const streamed = host.innerHTML
        show(<Markdown key="once" source={parts.join('')} streaming={parts.length === 0} />)
        expect(streamed).toBe(host.innerHTML)
      }),
      { numRuns: 60 }
    )
  })

  it('makes a button of a marker only when its source exists', () => {
    const citations: Citation[] = [{ n: 1, title: 'RDS User Guide', source: 'AWS' }]
    const shown: number[] = []
    show(
      <CitationContext value={{ citations, show: (n) => shown.push(n) }}>
        <Markdown source="Use Multi-AZ [1], not [2]." streaming={false} />
      </CitationContext>
    )
    const buttons = [...host.querySelectorAll<HTMLButtonElement>('button.cite')]
    expect(buttons.map((button) => button.getAttribute('aria-label'))).toEqual(['Source 1: RDS User Guide'])
    expect(host.textContent).toContain('not [2].')
    act(() => buttons[0]?.click())
    expect(shown).toEqual([1])
  })

  it('opens links through the core and no other way', () => {
    show(<Markdown source="[guide](https://docs.aws.amazon.com/) and [bad](javascript:alert(1))" streaming={false} />)
    const links = [...host.querySelectorAll('a')]
    expect(links).toHaveLength(1)
    act(() => links[0]?.click())
    expect(fake.calls).toEqual([{ method: 'link.open', input: { url: 'https://docs.aws.amazon.com/' } }])
    expect(host.innerHTML).not.toContain('href="javascript')
  })

  it('shows markup of the answer as text and loads no image', () => {
    show(<Markdown source={'<img src=x onerror=alert(1)> ![chart](https://example.com/a.png)'} streaming={false} />)
    expect(host.querySelector('img')).toBeNull()
    expect(host.textContent).toContain('<img src=x onerror=alert(1)> chart')
  })
})
