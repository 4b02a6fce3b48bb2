// Three answers at once, 100 pieces a second each, in the real window over the fake bridge: what it costs the page.
// `npx vite build -c test/renderer/vite.config.ts && npx node bench/renderer-stream.ts [seconds]` prints one JSON line.
import { join } from 'node:path'
import { chromium } from 'playwright'
import { preview } from 'vite'

const seconds = Number(process.argv[2] ?? 15)
const PIECE_MS = 10

/** In the page: puts a long answer of common shape under three questions and lets it run. */
const start = `
  for (const question of ['First long answer', 'Second long answer', 'Third long answer']) {
    const turnId = crypto.randomUUID()
    void aside.call('turn.ask', { turnId, sessionId: 's-claims', text: question })
  }
`
/** In the page: counts painted frames and the longest pause between two. */
const countFrames = `
  globalThis.frames = { count: 0, longestMs: 0 }
  let last = performance.now()
  const tick = (now) => { frames.count += 1; frames.longestMs = Math.max(frames.longestMs, now - last); last = now; requestAnimationFrame(tick) }
  requestAnimationFrame(tick)
`

const server = await preview({
  configFile: join(import.meta.dirname, '../test/renderer/vite.config.ts'),
  preview: { port: 0, host: '127.0.0.1' },
  logLevel: 'error'
})
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
try {
  const page = await browser.newPage({ viewport: { width: 1_280, height: 900 } })
  await page.goto(`${server.resolvedUrls?.local[0] ?? ''}index.html?token=${PIECE_MS}&repeat=40`)
  await page.getByRole('textbox', { name: 'Question' }).waitFor()
  const client = await page.context().newCDPSession(page)
  await client.send('Performance.enable')
  const metrics = async (): Promise<Map<string, number>> =>
    new Map((await client.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]))
  await page.evaluate(start)
  await page.waitForTimeout(500)
  await page.evaluate(countFrames)
  const before = await metrics()
  await page.waitForTimeout(seconds * 1_000)
  const after = await metrics()
  const spent = (name: string): number => Math.round(((after.get(name) ?? 0) - (before.get(name) ?? 0)) * 1_000)
  const frames: { count: number; longestMs: number } = await page.evaluate('frames')
  const characters = await page.evaluate("[...fake.messages.values()].filter((m) => m.answer?.state === 'answering').map((m) => m.text.length)")
  console.log(
    JSON.stringify({
      ok: true,
      seconds,
      answers: 3,
      piecesPerSecond: 1_000 / PIECE_MS,
      scriptMs: spent('ScriptDuration'),
      layoutMs: spent('LayoutDuration'),
      styleMs: spent('RecalcStyleDuration'),
      framesPerSecond: Math.round(frames.count / seconds),
      longestFrameMs: Math.round(frames.longestMs),
      charactersAtEnd: characters
    })
  )
} finally {
  await browser.close()
  await server.close()
}
