// `npm run screenshots [-- --docs]`: every screen of the running app, both themes, 360, 900 and 1440 px wide, into
// screenshots/. The content is real: the questions are asked and the app answers. `--docs` renews docs/images as well.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv } from 'node:process'
import type { Page } from '@playwright/test'
import { ensureBuilt } from '../run/build.ts'
import { launch, type Running } from '../../test/e2e/app.ts'

const OUT = 'screenshots'
const THEMES = ['light', 'dark'] as const
const WIDTHS = [360, 900, 1440] as const
const OVERLAY_WIDTHS = [320, 420] as const
/** What the README shows. */
const FOR_DOCS: Readonly<Record<string, string>> = {
  'transcript-light-1440.png': 'main-light.png',
  'transcript-dark-1440.png': 'main-dark.png',
  'overlay-light-420.png': 'overlay-light.png',
  'overlay-dark-420.png': 'overlay-dark.png',
  'search-light-1440.png': 'search-light.png',
  'usage-dark-1440.png': 'usage-dark.png'
}
const QUESTIONS = [
  'How do I choose between RDS Multi-AZ and read replicas?',
  'Which levers reduce S3 storage cost?',
  'What does a warm standby cost in recovery time compared with pilot light?'
]
/** Words of the questions: how the answers put it is the knowledge's own affair, and changes with it. */
const LOOKED_FOR = 'cost'

async function seed(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'New session' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Title').fill('Platform review')
  await dialog.getByLabel('Client', { exact: true }).fill('Northwind Logistics')
  await dialog.getByLabel('Meeting type').fill('Architecture review')
  await dialog.getByRole('button', { name: 'Start session' }).click()
  for (const question of QUESTIONS) await ask(page, question)
}

async function ask(page: Page, question: string): Promise<void> {
  const field = page.getByRole('textbox', { name: 'Question' })
  await field.fill(question)
  await field.press('Enter')
  // The transcript follows its end: the question comes last, then its answer. Only a finished one can be copied.
  await page.getByRole('article').getByText(question).waitFor()
  await page.getByRole('article').last().getByRole('button', { name: 'Copy answer' }).waitFor()
}

async function size(running: Running, page: Page, width: number, height: number): Promise<void> {
  const window = await running.app.browserWindow(page)
  await window.evaluate((w, bounds) => w.setBounds(bounds), { x: 0, y: 0, width, height })
  await page.waitForFunction((wanted) => innerWidth === wanted, width)
}
async function theme(running: Running, source: (typeof THEMES)[number], pages: readonly Page[]): Promise<void> {
  await running.app.evaluate(({ nativeTheme }, wanted) => {
    nativeTheme.themeSource = wanted
  }, source)
  for (const page of pages) await page.waitForFunction((dark) => matchMedia('(prefers-color-scheme: dark)').matches === dark, source === 'dark')
}
const shoot = async (page: Page, name: string): Promise<void> => {
  // Nothing under the mouse, and transitions of at most 180 ms at their end.
  await page.mouse.move(0, 0)
  await page.waitForTimeout(250)
  await page.screenshot({ path: join(OUT, `${name}.png`) })
  console.log(`${OUT}/${name}.png`)
}

/** Screens of the main window: how to get there, and how to leave. */
const screens: Readonly<Record<string, { readonly open: (page: Page) => Promise<void>; readonly close: (page: Page) => Promise<void> }>> = {
  // Where a person is who reads: in the field for the next question, not on the button that they used last.
  transcript: { open: (page) => page.keyboard.press('ControlOrMeta+l'), close: async () => undefined },
  search: {
    open: async (page) => {
      await page.keyboard.press('ControlOrMeta+k')
      await page.getByRole('combobox', { name: 'Search all messages' }).fill(LOOKED_FOR)
      await page.getByRole('listbox').getByRole('option').first().waitFor()
    },
    close: (page) => page.keyboard.press('Escape')
  },
  usage: { open: (page) => go(page, 'Usage'), close: (page) => back(page) },
  outbox: { open: (page) => go(page, 'Outbox'), close: (page) => back(page) },
  settings: { open: (page) => go(page, 'Settings'), close: (page) => back(page) },
  history: {
    open: async (page) => {
      await go(page, 'Settings')
      await page.getByRole('heading', { name: 'History & privacy' }).evaluate((element) => element.scrollIntoView())
      await page.getByText('Last backup').waitFor()
    },
    close: (page) => back(page)
  },
  'new-session': {
    open: async (page) => {
      await rail(page)
      await page.getByRole('button', { name: 'New session' }).first().click()
      await page.getByRole('dialog').waitFor()
    },
    close: async (page) => {
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      // Where it was opened from.
      const hide = page.getByRole('button', { name: 'Hide sessions' })
      if (await hide.isVisible()) await hide.click()
    }
  }
}
async function rail(page: Page): Promise<void> {
  const show = page.getByRole('button', { name: 'Show sessions' })
  if (await show.isVisible()) await show.click()
}
async function go(page: Page, name: string): Promise<void> {
  await rail(page)
  await page.getByRole('button', { name, exact: true }).first().click()
  await page.getByRole('heading', { name, exact: true }).waitFor()
}
async function back(page: Page): Promise<void> {
  await rail(page)
  await page.getByRole('navigation', { name: 'Sessions' }).getByText('Platform review').first().click()
}

await ensureBuilt()
mkdirSync(OUT, { recursive: true })
const dataDir = mkdtempSync(join(tmpdir(), 'aside-screens-'))
const running = await launch({ dataDir })
try {
  const { main } = running
  await size(running, main, 1440, 900)
  await main.getByRole('navigation', { name: 'Sessions' }).waitFor()
  for (const source of THEMES) {
    await theme(running, source, [main])
    await shoot(main, `welcome-${source}-1440`)
  }
  await seed(main)
  for (const source of THEMES) {
    await theme(running, source, [main])
    for (const width of WIDTHS) {
      await size(running, main, width, width < 500 ? 780 : 900)
      for (const [name, screen] of Object.entries(screens)) {
        await screen.open(main)
        await shoot(main, `${name}-${source}-${width}`)
        await screen.close(main)
      }
    }
  }
  await main.getByRole('button', { name: 'Ask in overlay' }).first().click()
  const overlay = await running.window('overlay')
  const field = overlay.getByRole('textbox', { name: 'Ask', exact: true })
  await field.fill('What is the difference between a security group and a network ACL?')
  await field.press('Enter')
  await overlay.getByRole('button', { name: 'Copy answer' }).waitFor()
  for (const source of THEMES) {
    await theme(running, source, [overlay])
    for (const width of OVERLAY_WIDTHS) {
      await size(running, overlay, width, 560)
      await shoot(overlay, `overlay-${source}-${width}`)
    }
  }
} finally {
  await running.app.close()
  rmSync(dataDir, { recursive: true, force: true })
}
if (argv.includes('--docs')) for (const [from, to] of Object.entries(FOR_DOCS)) copyFileSync(join(OUT, from), join('docs/images', to))
