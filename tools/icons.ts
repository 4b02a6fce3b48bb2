// Draws the PNG sizes of resources/icons from their SVGs with Chromium: `npx node tools/icons.ts`. The results are committed.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from 'playwright'

interface Picture {
  readonly source: string
  readonly target: string
  readonly size: number
  /** Replaces black, for trays on dark panels. */
  readonly colour?: string
}

const pictures: readonly Picture[] = [
  ...[16, 24, 32, 48].map((size): Picture => ({ source: 'aside-small.svg', target: `aside-${size}.png`, size })),
  ...[64, 128, 256, 512, 1024].map((size): Picture => ({ source: 'aside.svg', target: `aside-${size}.png`, size })),
  { source: 'tray-template.svg', target: 'trayTemplate.png', size: 16 },
  { source: 'tray-template.svg', target: 'trayTemplate@2x.png', size: 32 },
  { source: 'tray-template.svg', target: 'tray-light.png', size: 32, colour: '#f4f1ea' },
  { source: 'tray-template.svg', target: 'tray-dark.png', size: 32, colour: '#1d2a30' }
]

const here = join(import.meta.dirname, '../resources/icons')
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
try {
  const page = await browser.newPage()
  for (const { source, target, size, colour } of pictures) {
    const svg = await readFile(join(here, source), 'utf8')
    await page.setViewportSize({ width: size, height: size })
    await page.setContent(
      `<style>body{margin:0}svg{display:block;width:${size}px;height:${size}px;fill:${colour ?? '#000'}}</style>${svg.replace('<svg ', `<svg width="${size}" height="${size}" `)}`
    )
    await writeFile(join(here, target), await page.screenshot({ omitBackground: true }))
  }
} finally {
  await browser.close()
}
