// Takes pictures of every screen over the fake bridge, and checks each with axe: `npx node test/renderer/look.ts <folder> [scene …]`.
// Build first: `npx vite build -c test/renderer/vite.config.ts`. Fails on a violation of accessibility or of the page's CSP.
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium, type Page } from 'playwright'
import { preview } from 'vite'

interface Scene {
  readonly name: string
  readonly page: 'index' | 'overlay'
  readonly query?: string
  readonly width: number
  readonly height: number
  readonly act?: (page: Page) => Promise<void>
}

const settle = (page: Page): Promise<void> => page.waitForTimeout(350)

async function ask(page: Page, question: string): Promise<void> {
  await page.getByRole('textbox', { name: /^(Question|Ask)$/ }).fill(question)
  await page.keyboard.press('Enter')
}
async function askAndWait(page: Page, forMs: number): Promise<void> {
  await ask(page, cutOver)
  await page.waitForTimeout(forMs)
}
const cutOver = 'What should the cut-over plan for the landing zone contain?'

const wide = { width: 1440, height: 900 }
const middle = { width: 900, height: 720 }
const narrow = { width: 360, height: 740 }

/** One question of each kind, in two sessions. */
async function fillOutbox(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    const base = fake.messages.get('s-claims-q7')
    let position = 100
    const put = (sessionId, text, delivery) => {
      const id = 'outbox-' + (position += 1)
      const message = { ...base, id, sessionId, turnId: id, text, position, createdAt: base.createdAt + position * 1000, delivery: { ...base.delivery, attempts: 0, nextAttemptAt: null, needsConfirmation: false, error: null, ...delivery } }
      fake.messages.set(id, message)
      fake.push({ slice: 'message', value: message }, { slice: 'waiting', count: 5 })
    }
    put('s-claims', 'Can we encrypt the replica with another key?', { state: 'failed', error: { code: 'refused', message: 'The provider refused this question by its own filter. It is kept; change it or send it again.' } })
    put('s-claims', 'How long does a snapshot restore of 1.2 TB take?', { state: 'waiting', needsConfirmation: true })
    put('s-claims', 'What would a warm standby in a second region cost the claims platform per month, and which part of it is data transfer?', { state: 'waiting' })
    put('s-landing', 'Who signs the point of no return?', { state: 'sending' })
    put('s-landing', 'And what does the rollback rehearsal cost us in hours?', { state: 'waiting', attempts: 2, nextAttemptAt: base.createdAt + 3600000, error: { code: 'rate_limited', message: 'The service takes no more questions for the moment.' } })
    put('s-landing', 'Is the freeze binding for the vendor too?', { state: 'waiting' })
    put('s-landing', 'Estimate the whole programme.', { state: 'failed', error: { code: 'budget_exhausted', message: 'The budget of this client is used up until 1 December. The question is kept.' } })
  })()`)
  await page.waitForTimeout(100)
  await page.keyboard.press('Control+o')
}

async function openHistory(page: Page): Promise<void> {
  await page.keyboard.press('Control+,')
  await page.getByRole('region', { name: 'How it is locked' }).waitFor()
  await page.getByRole('heading', { name: 'History & privacy' }).evaluate((element) => element.scrollIntoView())
}
async function fillDialog(page: Page, name: string): Promise<void> {
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  if (name === 'Set a passphrase') {
    await dialog.getByLabel('New passphrase', { exact: true }).fill('Tr0ub4d&r')
    await dialog.getByLabel('New passphrase again').fill('Tr0ub4d')
  }
  if (name === 'Back up…') await dialog.getByRole('switch').check()
  if (name === 'Restore…') {
    await dialog.getByRole('button', { name: 'Choose a backup…' }).click()
    await dialog.getByRole('alert').waitFor()
  }
  if (name === 'Remove messages…') {
    await dialog.getByLabel('Of client').selectOption('Nordhavn Insurance')
    await dialog.getByText('This removes').waitFor()
  }
}

const base: readonly Scene[] = [
  { name: 'ask-1440', page: 'index', ...wide },
  { name: 'ask-900', page: 'index', ...middle },
  { name: 'ask-360', page: 'index', ...narrow },
  {
    name: 'ask-top-1440',
    page: 'index',
    ...wide,
    act: async (page) => {
      await page.getByRole('region', { name: 'Transcript' }).evaluate((element) => {
        element.scrollTop = 0
      })
      await page.getByRole('button', { name: 'Source 2' }).first().click()
    }
  },
  {
    name: 'streaming-1440',
    page: 'index',
    query: 'token=25',
    ...wide,
    act: (page) => askAndWait(page, 1_500)
  },
  {
    name: 'stage-900',
    page: 'index',
    query: 'token=600',
    ...middle,
    act: (page) => askAndWait(page, 1_600)
  },
  {
    name: 'offline-1440',
    page: 'index',
    ...wide,
    act: async (page) => {
      await page.evaluate('fake.goOffline()')
      await ask(page, 'Who signs the point of no return at Meridian?')
      await ask(page, 'And what does the rollback rehearsal cost us in hours?')
    }
  },
  {
    name: 'offline-360',
    page: 'index',
    ...narrow,
    act: async (page) => {
      await page.evaluate('fake.goOffline()')
      await ask(page, 'Who signs the point of no return at Meridian?')
    }
  },
  {
    name: 'states-1440',
    page: 'index',
    ...wide,
    act: async (page) => {
      await page.evaluate(`(() => {
        const put = (id, text, position, delivery) => {
          const base = fake.messages.get('s-claims-q7')
          const message = { ...base, id, turnId: id, text, position, delivery: { ...base.delivery, ...delivery } }
          fake.messages.set(id, message)
          fake.push({ slice: 'message', value: message })
        }
        put('x1', 'Can we encrypt the replica with another key?', 20, { state: 'failed', error: { code: 'refused', message: 'The provider refused this question by its own filter. It is kept; change it or ask again.' } })
        put('x2', 'How long does a snapshot restore of 1.2 TB take?', 21, { state: 'waiting', needsConfirmation: true })
        put('x3', 'Never mind.', 22, { state: 'cancelled' })
        fake.push({ slice: 'announcement', value: { id: 'n1', level: 'warning', text: 'The budget of Nordhavn Insurance stands at 80 % of this month.', sticky: true } })
        fake.push({ slice: 'announcement', value: { id: 'n2', level: 'info', text: 'Ollama answers on this machine now: llama3.2.', sticky: false } })
      })()`)
      await page.waitForTimeout(200)
      await page.locator('article').filter({ hasText: 'That a replica hides' }).hover()
      await page.getByRole('button', { name: 'Facts about this answer' }).last().click()
    }
  },
  { name: 'outbox-1440', page: 'index', ...wide, act: fillOutbox },
  { name: 'outbox-900', page: 'index', query: 'scale=1.3', ...middle, act: fillOutbox },
  { name: 'outbox-320', page: 'index', width: 320, height: 740, act: fillOutbox },
  { name: 'outbox-empty-900', page: 'index', ...middle, act: (page) => page.keyboard.press('Control+o') },
  {
    name: 'link-900',
    page: 'index',
    ...middle,
    act: async (page) => {
      await page.evaluate('fake.goOffline()')
      await page.getByRole('button', { name: /^Offline/ }).click()
    }
  },
  { name: 'unlock-1440', page: 'index', query: 'locked', ...wide },
  {
    name: 'unlock-wrong-360',
    page: 'index',
    query: 'locked',
    ...narrow,
    act: async (page) => {
      await page.getByLabel('Passphrase', { exact: true }).fill('not these words')
      await page.getByRole('button', { name: 'Show the passphrase' }).click()
      await page.getByRole('button', { name: 'Unlock' }).click()
    }
  },
  { name: 'unlock-overlay-320', page: 'overlay', query: 'locked', width: 320, height: 480 },
  { name: 'large-text-900', page: 'index', query: 'scale=1.6', ...middle },
  { name: 'large-text-360', page: 'index', query: 'scale=1.6', ...narrow },
  { name: 'details-1440', page: 'index', ...wide, act: (page) => page.getByRole('button', { name: 'Details' }).click() },
  { name: 'details-900', page: 'index', ...middle, act: (page) => page.getByRole('button', { name: 'Details' }).click() },
  { name: 'rail-360', page: 'index', ...narrow, act: (page) => page.getByRole('button', { name: 'Show sessions' }).click() },
  { name: 'new-session-1440', page: 'index', ...wide, act: (page) => page.getByRole('button', { name: 'New session' }).click() },
  {
    name: 'new-session-360',
    page: 'index',
    query: 'seed=empty',
    ...narrow,
    act: (page) => page.locator('main').getByRole('button', { name: 'New session' }).click()
  },
  { name: 'welcome-1440', page: 'index', query: 'seed=empty', ...wide },
  { name: 'welcome-360', page: 'index', query: 'seed=empty', ...narrow },
  {
    name: 'empty-session-900',
    page: 'index',
    ...middle,
    act: (page) => page.getByRole('button', { name: /Findings before the audit/ }).click()
  },
  {
    name: 'search-1440',
    page: 'index',
    ...wide,
    act: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Search all messages' }).fill('replica')
      await page.waitForTimeout(200)
      await page.keyboard.press('ArrowDown')
    }
  },
  {
    name: 'search-360',
    page: 'index',
    ...narrow,
    act: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Search all messages' }).fill('backup restores')
    }
  },
  {
    name: 'search-days-900',
    page: 'index',
    ...middle,
    act: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Search all messages' }).fill('backup')
      await page.getByLabel('When').last().selectOption('days')
      await page.getByLabel('From').fill('14/3')
      await page.getByLabel('To').click()
    }
  },
  {
    name: 'search-days-320',
    page: 'index',
    width: 320,
    height: 700,
    act: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Search all messages' }).fill('the')
      await page.getByLabel('When').last().selectOption('days')
      await page.getByLabel('From').fill('1 March 2024')
    }
  },
  {
    name: 'search-clients-900',
    page: 'index',
    ...middle,
    act: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Search all messages' }).fill('backup')
      await page.getByRole('combobox', { name: 'Client' }).click()
      await page.keyboard.press('ArrowDown')
    }
  },
  {
    name: 'search-none-900',
    page: 'index',
    ...middle,
    act: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Search all messages' }).fill('zeppelin')
      await page.getByLabel('When').last().selectOption('week')
    }
  },
  { name: 'search-empty-900', page: 'index', ...middle, act: (page) => page.keyboard.press('Control+f') },
  {
    name: 'jump-1440',
    page: 'index',
    ...wide,
    act: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Search all messages' }).fill('call 1203')
      await page.getByRole('listbox').getByRole('option').first().waitFor()
      await page.keyboard.press('Enter')
      await page.waitForTimeout(500)
    }
  },
  { name: 'usage-1440', page: 'index', ...wide, act: (page) => page.getByRole('button', { name: 'Usage' }).click() },
  { name: 'usage-900', page: 'index', ...middle, act: (page) => page.getByRole('button', { name: 'Usage' }).click() },
  {
    name: 'usage-360',
    page: 'index',
    ...narrow,
    act: async (page) => {
      await page.getByRole('button', { name: 'Show sessions' }).click()
      await page.getByRole('button', { name: 'Usage' }).click()
    }
  },
  {
    name: 'usage-empty-900',
    page: 'index',
    query: 'seed=empty',
    ...middle,
    act: (page) => page.getByRole('button', { name: 'Usage' }).click()
  },
  {
    name: 'usage-table-900',
    page: 'index',
    ...middle,
    act: async (page) => {
      await page.getByRole('button', { name: 'Usage' }).click()
      await page.getByRole('button', { name: 'As table' }).click()
    }
  },
  { name: 'settings-1440', page: 'index', ...wide, height: 1_500, act: (page) => page.keyboard.press('Control+,') },
  { name: 'settings-360', page: 'index', ...narrow, height: 1_500, act: (page) => page.keyboard.press('Control+,') },
  { name: 'history-1440', page: 'index', query: 'nobackup', ...wide, act: openHistory },
  { name: 'history-file-360', page: 'index', query: 'key=file', ...narrow, height: 1_250, act: openHistory },
  { name: 'history-320', page: 'index', query: 'scale=1.3', width: 320, height: 740, act: openHistory },
  ...(['Set a passphrase', 'New key', 'Back up…', 'Restore…', 'Remove messages…', 'Export…', 'Import…', 'Add a rule'] as const).flatMap(
    (name): Scene[] => {
      const key = name.replace(/[^a-z]+/gi, '-').toLowerCase()
      const act = async (page: Page): Promise<void> => {
        await openHistory(page)
        await page.getByRole('button', { name, exact: true }).click()
        await fillDialog(page, name)
      }
      return [
        { name: `dialog-${key}-1440`, page: 'index', query: 'step=5', ...wide, act },
        { name: `dialog-${key}-320`, page: 'index', query: 'step=5', width: 320, height: 740, act }
      ]
    }
  ),
  {
    name: 'jobs-900',
    page: 'index',
    query: 'step=2000',
    ...middle,
    act: async (page) => {
      await page.evaluate(`(() => {
        fake.push({ slice: 'job', value: { id: 'j0', kind: 'import', state: 'failed', text: 'Importing conversations.json', done: 3, total: 9, cancellable: true, error: { code: 'invalid_request', message: 'The file ends in the middle of conversation 214. Nothing was imported; export it again and retry.' } } })
        void window.aside.call('export.write', { format: 'json' })
      })()`)
      await page.waitForTimeout(900)
    }
  },
  {
    name: 'jobs-320',
    page: 'index',
    query: 'step=2000',
    width: 320,
    height: 740,
    act: async (page) => {
      await page.evaluate(`void window.aside.call('export.write', { format: 'json' })`)
      await page.waitForTimeout(900)
    }
  },
  { name: 'overlay-420', page: 'overlay', width: 420, height: 560 },
  { name: 'overlay-320', page: 'overlay', width: 320, height: 480 },
  { name: 'overlay-empty-420', page: 'overlay', query: 'session=none', width: 420, height: 560 },
  {
    name: 'overlay-streaming-420',
    page: 'overlay',
    query: 'token=25',
    width: 420,
    height: 560,
    act: (page) => askAndWait(page, 1_400)
  },
  {
    name: 'overlay-details-420',
    page: 'overlay',
    query: 'token=2',
    width: 420,
    height: 560,
    act: async (page) => {
      await ask(page, cutOver)
      await page.waitForTimeout(1_600)
      await page.keyboard.press('Alt+d')
      await page.getByRole('button', { name: 'Source 1' }).first().click()
    }
  },
  {
    name: 'overlay-table-420',
    page: 'overlay',
    width: 420,
    height: 560,
    act: (page) =>
      page.evaluate(`(() => {
        const answer = fake.messages.get('s-claims-a7')
        const rows = ['Standard | 2.3', 'Infrequent access | 1.25', 'One zone | 1.0', 'Glacier instant | 0.4', 'Glacier flexible | 0.36', 'Deep archive | 0.099'].map((row) => '| ' + row + ' cents per GB and month [3] |').join('\\n')
        const text = 'Prices per tier in this region, as of the last price list. [1]\\n\\n| Tier | Price |\\n| --- | --- |\\n' + rows
        const citations = [{ n: 1, title: 'Price list', source: 'Amazon S3' }, { n: 3, title: 'Tiers', source: 'Amazon S3 User Guide' }]
        fake.push({ slice: 'message', value: { ...answer, text, answer: { ...answer.answer, citations } } })
      })()`)
  },
  { name: 'overlay-large-text-320', page: 'overlay', query: 'scale=1.6', width: 320, height: 480 },
  {
    name: 'overlay-offline-320',
    page: 'overlay',
    width: 320,
    height: 480,
    act: async (page) => {
      await page.evaluate('fake.goOffline()')
      await ask(page, 'Is the freeze binding for the vendor too?')
    }
  }
]

const [folder = 'out/look', ...only] = process.argv.slice(2)
const scenes = base.filter((scene) => only.length === 0 || only.some((name) => scene.name.startsWith(name)))
const out = resolve(folder)
await mkdir(out, { recursive: true })
const server = await preview({ configFile: join(import.meta.dirname, 'vite.config.ts'), preview: { port: 0, host: '127.0.0.1' }, logLevel: 'error' })
const origin = server.resolvedUrls?.local[0] ?? ''
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
let failures = 0
try {
  for (const theme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ colorScheme: theme, deviceScaleFactor: 1 })
    for (const scene of scenes) {
      const page = await context.newPage()
      page.setDefaultTimeout(5_000)
      const complaints: string[] = []
      page.on('console', (message) => (message.type() === 'error' || message.type() === 'warning') && complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(String(error)))
      await page.setViewportSize({ width: scene.width, height: scene.height })
      await page.goto(`${origin}${scene.page}.html?theme=${theme}&${scene.query ?? ''}`)
      await page.locator('main').first().waitFor()
      await page.evaluate('document.fonts.ready.then(() => null)')
      await settle(page)
      try {
        await scene.act?.(page)
      } catch (error) {
        complaints.push(`acting failed: ${String(error).slice(0, 300)}`)
      }
      await settle(page)
      await page.screenshot({ path: join(out, `${scene.name}-${theme}.png`) })
      const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      if (Number(overflow) > 0) complaints.push(`the page is ${String(overflow)} px wider than its window`)
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
      for (const violation of violations) complaints.push(`axe ${violation.id}: ${violation.nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join(' | ')}`) // prettier-ignore
      for (const complaint of complaints) console.log(`${scene.name} ${theme}: ${complaint}`)
      failures += complaints.length
      await page.close()
    }
    await context.close()
  }
} finally {
  await browser.close()
  await server.close()
}
console.log(`${scenes.length * 2} pictures in ${folder}, ${failures} complaints`)
process.exitCode = failures === 0 ? 0 : 1
