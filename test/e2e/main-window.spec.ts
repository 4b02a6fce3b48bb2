// The main window: a session for a meeting, a question, its answer; every screen without a complaint of axe.
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, test } from './app.ts'

const QUESTION = 'Which levers reduce S3 storage cost?'

async function startSession(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'New session' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Title').fill('Platform review')
  await dialog.getByLabel('Client', { exact: true }).fill('Northwind Logistics')
  await dialog.getByRole('button', { name: 'Start session' }).click()
  await expect(page.getByRole('heading', { name: 'Platform review' })).toBeVisible()
}
async function ask(page: Page, question: string): Promise<void> {
  const field = page.getByRole('textbox', { name: 'Question' })
  await field.fill(question)
  await field.press('Enter')
  await expect(page.getByRole('article').getByText(question).last()).toBeVisible()
}

test('a first session is asked in and answered with sources', async ({ start }) => {
  const running = await start()
  const { main } = running
  await startSession(main)
  await ask(main, QUESTION)
  const answer = main.getByRole('article').last()
  await expect(answer.getByRole('button', { name: 'Copy answer' })).toBeVisible()
  await expect(answer).toContainText('Lifecycle rules')
  await expect(main.getByText('Answered').first()).toBeVisible()
  await expect(answer.getByText('Local answer')).toBeVisible()

  // A source opens in the browser, and only there.
  await answer.getByRole('list', { name: 'Sources' }).getByRole('button').first().click()
  await running.app.evaluate(({ shell }) => {
    const opened: string[] = []
    Object.assign(globalThis, { opened })
    shell.openExternal = async (url) => void opened.push(url)
  })
  await answer.getByRole('link', { name: 'Open source' }).click()
  const opened = (): Promise<string[]> => running.app.evaluate(() => (globalThis as unknown as { opened: string[] }).opened)
  await expect.poll(opened).toEqual([expect.stringMatching(/^https:\/\/docs\.aws\.amazon\.com\//)])
  await running.quit()
})

test('script and markup stay text, and a wrong question is refused in words', async ({ start }) => {
  const running = await start()
  const { main } = running
  await startSession(main)
  await main.evaluate(() => {
    Object.assign(globalThis, { alert: () => Object.assign(globalThis, { executed: true }) })
  })
  const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script> [click](javascript:alert(3))'
  await ask(main, hostile)
  await expect(main.getByRole('article').last().getByRole('button', { name: 'Copy answer' })).toBeVisible()
  expect(await main.evaluate(() => 'executed' in globalThis)).toBe(false)
  expect(await main.evaluate(() => document.querySelectorAll('img[src="x"], a[href^="javascript"]').length)).toBe(0)

  const field = main.getByRole('textbox', { name: 'Question' })
  const endless = 'word '.repeat(40_000)
  await field.fill(endless)
  await expect(main.getByText(/168,000 characters too long/)).toBeVisible()
  await expect(field).toHaveValue(endless)
  await running.quit()
})

test('sessions that were open as a drawer dim nothing once the window is wide', async ({ start }) => {
  const running = await start()
  const { main } = running
  await startSession(main)
  const window = await running.app.browserWindow(main)
  const widen = async (width: number): Promise<void> => {
    await window.evaluate((w, bounds) => w.setBounds(bounds), { x: 0, y: 0, width, height: 800 })
    await main.waitForFunction((wanted) => innerWidth === wanted, width)
  }
  await widen(400)
  await main.getByRole('button', { name: 'Show sessions' }).click()
  await expect(main.getByRole('button', { name: 'Hide sessions' })).toBeVisible()
  await widen(1000)
  // A click that something in front would catch fails.
  await main.getByRole('textbox', { name: 'Question' }).click()
  await expect(main.getByRole('textbox', { name: 'Question' })).toBeFocused()
  await running.quit()
})

for (const theme of ['light', 'dark'] as const) {
  test(`every screen is accessible, ${theme}`, async ({ start }) => {
    const running = await start()
    const { main } = running
    await running.app.evaluate(({ nativeTheme }, source) => {
      nativeTheme.themeSource = source
    }, theme)
    const check = async (screen: string): Promise<void> => {
      const { violations } = await new AxeBuilder({ page: main }).setLegacyMode(true).analyze()
      expect(violations.map((v) => `${screen}: ${v.id} ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)).toEqual([])
    }
    await check('welcome')
    await startSession(main)
    await ask(main, QUESTION)
    await expect(main.getByRole('article').last().getByRole('button', { name: 'Copy answer' })).toBeVisible()
    await check('transcript')
    for (const name of ['Outbox', 'Usage', 'Settings']) {
      await main.getByRole('button', { name }).first().click()
      await expect(main.getByRole('heading', { name, exact: true, level: 1 })).toBeVisible()
      await check(name)
    }
    await running.quit()
  })
}
