// The main job: ask in the overlay by hotkey, read the streamed answer, close, restart, find it again.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bytesOf, expect, test } from './app.ts'

const QUESTION = 'How do I choose between RDS Multi-AZ and read replicas?'

test('asks in the overlay, streams, survives a restart and is found by search', async ({ start, dataDir }) => {
  const first = await start()
  await expect(first.main.getByRole('navigation', { name: 'Sessions' })).toBeVisible()

  await first.hotkey()
  const overlay = await first.window('overlay')
  const field = overlay.getByRole('textbox', { name: 'Ask', exact: true })
  await expect(field).toBeFocused()
  const win = await first.app.browserWindow(overlay)
  expect(await win.evaluate((w) => ({ top: w.isAlwaysOnTop(), visible: w.isVisible() }))).toEqual({ top: true, visible: true })

  // Lengths of the answer as it grows, seen by the page itself.
  await overlay.evaluate(() => {
    const seen: number[] = []
    Object.assign(globalThis, { seen })
    new MutationObserver(() => {
      const length = document.querySelector('.overlay-text')?.textContent?.length ?? 0
      if (length > 0 && seen.at(-1) !== length) seen.push(length)
    }).observe(document.body, { subtree: true, childList: true, characterData: true })
  })
  await field.fill(QUESTION)
  await field.press('Enter')
  const answer = overlay.getByRole('article')
  await expect(answer.getByRole('button', { name: 'Copy answer' })).toBeVisible()
  const text = (await answer.textContent()) ?? ''
  expect(text.toLowerCase()).toContain('multi-az')
  const seen = await overlay.evaluate(() => (globalThis as unknown as { seen: number[] }).seen)
  expect(seen.length, `the answer arrived in pieces: ${seen.join(', ')}`).toBeGreaterThan(2)
  await expect(overlay.getByRole('button', { name: /^Source 1:/ }).first()).toBeVisible()

  await overlay.keyboard.press('Escape')
  await expect.poll(() => win.evaluate((w) => w.isVisible())).toBe(false)
  await first.quit()

  for (const file of readdirSync(dataDir).filter((name) => name.startsWith('history') && statSync(join(dataDir, name)).isFile())) {
    const bytes = bytesOf(join(dataDir, file))
    for (const word of ['Multi-AZ', 'read replicas']) expect(bytes.includes(word), `${file} holds "${word}" in plain text`).toBe(false)
  }

  const second = await start()
  await second.main.keyboard.press('ControlOrMeta+k')
  await second.main.getByRole('searchbox', { name: 'Search all messages' }).fill('multi-az repl')
  const hits = second.main.getByRole('option')
  await expect(hits.first()).toContainText(/Multi-AZ/i)
  await second.main.keyboard.press('Enter')
  await expect(second.main.getByText(QUESTION).first()).toBeVisible()
  await expect(second.main.getByRole('article', { name: 'Answer' }).first()).toContainText(/Multi-AZ/i)
  await second.quit()
})
