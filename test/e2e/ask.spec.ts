// The main job: ask in the overlay by hotkey, read the streamed answer, close, restart, find it again.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { startModelServer } from '../fakes/model-server.ts'
import { bytesOf, expect, test } from './app.ts'

const QUESTION = 'How do I choose between RDS Multi-AZ and read replicas?'
const fieldOf = (overlay: Page) => overlay.getByRole('textbox', { name: 'Ask', exact: true })

test('asks in the overlay, keeps the answer encrypted, and finds it after a restart', async ({ start, dataDir }) => {
  const first = await start()
  await expect(first.main.getByRole('navigation', { name: 'Sessions' })).toBeVisible()

  await first.hotkey()
  const overlay = await first.window('overlay')
  await expect(fieldOf(overlay)).toBeFocused()
  const win = await first.app.browserWindow(overlay)
  expect(await win.evaluate((w) => ({ top: w.isAlwaysOnTop(), visible: w.isVisible() }))).toEqual({ top: true, visible: true })

  await fieldOf(overlay).fill(QUESTION)
  await fieldOf(overlay).press('Enter')
  const answer = overlay.getByRole('article')
  await expect(answer.getByRole('button', { name: 'Copy answer' })).toBeVisible()
  await expect(answer).toContainText(/Multi-AZ/)
  await expect(overlay.getByRole('button', { name: /^Source 1:/ }).first()).toBeVisible()
  const firstWords = ((await overlay.locator('.overlay-text p').first().textContent()) ?? '').slice(0, 40)
  expect(firstWords.length).toBeGreaterThan(20)

  await overlay.keyboard.press('Escape')
  await expect.poll(() => win.evaluate((w) => w.isVisible())).toBe(false)
  await first.quit()

  for (const file of readdirSync(dataDir).filter((name) => name.startsWith('history') && statSync(join(dataDir, name)).isFile())) {
    const bytes = bytesOf(join(dataDir, file))
    for (const word of ['Multi-AZ', 'read replicas', 'choose between'])
      expect(bytes.includes(word), `${file} holds "${word}" in plain text`).toBe(false)
  }

  const second = await start()
  await second.main.getByRole('navigation', { name: 'Sessions' }).waitFor()
  await second.main.keyboard.press('ControlOrMeta+k')
  await second.main.getByRole('combobox', { name: 'Search all messages' }).fill('multi-az repl')
  await expect(second.main.getByRole('listbox').getByRole('option').first()).toContainText(/Multi-AZ/i)
  await second.main.keyboard.press('Enter')
  await expect(second.main.getByText(QUESTION).first()).toBeVisible()
  await expect(second.main.getByRole('article').filter({ hasText: firstWords })).toBeVisible()
  await second.quit()
})

test('shows a model’s text as it arrives, and stops on Escape', async ({ start }) => {
  await using model = await startModelServer()
  const running = await start({ env: { OPENAI_BASE_URL: model.url, OPENAI_MODEL: 'test-model' } })
  await running.hotkey()
  const overlay = await running.window('overlay')
  await fieldOf(overlay).fill('Which database would you take?')
  await fieldOf(overlay).press('Enter')
  expect(await model.asked).toContain('Which database would you take?')
  const answer = overlay.getByRole('article')
  await model.say('Take **Aurora**')
  await expect(answer).toContainText('Take Aurora')
  await model.say(' if the load is uneven')
  await expect(answer).toContainText('Take Aurora if the load is uneven')
  await overlay.keyboard.press('Escape')
  await expect(answer).toContainText('You stopped this answer. What had arrived is kept.')
  await expect(answer).toContainText('Take Aurora if the load is uneven')
  await running.quit()
})
