// The contrasts that docs/design.md promises, computed from the renderer’s tokens.css itself (WCAG 2.2, OKLCH → linear sRGB).
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync(new URL('../../src/renderer/ui/tokens.css', import.meta.url), 'utf8')

const [lightCss = '', darkCss = ''] = css.split(":root[data-theme='dark']")

function colours(source: string): Map<string, readonly [number, number, number]> {
  return new Map(
    [...source.matchAll(/--([\w-]+): oklch\(([\d.]+) ([\d.]+) ([\d.]+)\);/g)].map((m) => [
      m[1] ?? '',
      [Number(m[2]), Number(m[3]), Number(m[4])] as const
    ])
  )
}

function clip(x: number): number {
  return Math.min(1, Math.max(0, x))
}

/** Björn Ottosson's OKLab matrices; components outside sRGB are clipped, as the screen does. */
function luminance([l, c, h]: readonly [number, number, number]): number {
  const a = c * Math.cos((h * Math.PI) / 180)
  const b = c * Math.sin((h * Math.PI) / 180)
  const [L, M, S] = [l + 0.3963377774 * a + 0.2158037573 * b, l - 0.1055613458 * a - 0.0638541728 * b, l - 0.0894841775 * a - 1.291485548 * b].map(
    (x) => x ** 3
  )
  if (L === undefined || M === undefined || S === undefined) throw new Error('unreachable')
  const red = clip(4.0767416621 * L - 3.3077115913 * M + 0.2309699292 * S)
  const green = clip(-1.2684380046 * L + 2.6097574011 * M - 0.3413193965 * S)
  const blue = clip(-0.0041960863 * L - 0.7034186147 * M + 1.707614701 * S)
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(theme: Map<string, readonly [number, number, number]>, front: string, back: string): number {
  const [a, b] = [front, back].map((name) => {
    const colour = theme.get(name)
    if (colour === undefined) throw new Error(`tokens.css has no colour --${name}`)
    return luminance(colour)
  })
  if (a === undefined || b === undefined) throw new Error('unreachable')
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

const papers = ['paper', 'paper-sunk', 'paper-raised', 'paper-hover'] as const
const text = ['ink', 'ink-2', 'ink-3', 'accent', 'waiting', 'failed', 'local', 'online'] as const
const pairs: [string, string, number][] = [
  ...text.flatMap((front) => papers.map((back): [string, string, number] => [front, back, 4.5])),
  ['ink', 'paper', 12],
  ['ink', 'hit', 7],
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-strong', 4.5],
  ['accent-strong', 'accent-wash', 4.5],
  ['ink-2', 'accent-wash', 4.5],
  ['waiting', 'waiting-wash', 4.5],
  ['failed', 'failed-wash', 4.5],
  ['local', 'local-wash', 4.5],
  ['line-control', 'paper', 3],
  ['line-control', 'paper-raised', 3],
  ['line-control', 'paper-sunk', 3],
  ...['code-keyword', 'code-string', 'code-number', 'code-name'].map((front): [string, string, number] => [front, 'paper-sunk', 4.5])
]

describe.each([
  ['light', colours(lightCss)],
  ['dark', new Map([...colours(lightCss), ...colours(darkCss)])]
] as const)('%s theme', (name, theme) => {
  it.each(pairs)('--%s on --%s reaches %d : 1', (front, back, least) => {
    expect(contrast(theme, front, back), `${name}: --${front} on --${back}`).toBeGreaterThanOrEqual(least)
  })
})

it('knows black on white', () => {
  const theme = colours('--a: oklch(0 0 0);--b: oklch(1 0 0);')
  expect(contrast(theme, 'a', 'b')).toBeCloseTo(21, 1)
})
