// Nothing is lost: unsent text through a kill, the outbox through a lost link, the history through purge, restore and another profile.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { bytesOf, expect, test, type Running } from './app.ts'

const QUESTION = 'Which levers reduce S3 storage cost?'
const PASSPHRASE = 'four plain words here'
const box = (page: Page) => page.getByRole('textbox', { name: 'Question' })
const dialog = (page: Page) => page.getByRole('dialog')
const sessions = (page: Page) => page.getByRole('navigation', { name: 'Sessions' })

async function startSession(page: Page, title: string, client: string): Promise<void> {
  await page.getByRole('button', { name: 'New session' }).first().click()
  await dialog(page).getByLabel('Title').fill(title)
  await dialog(page).getByLabel('Client', { exact: true }).fill(client)
  await dialog(page).getByRole('button', { name: 'Start session' }).click()
  await expect(page.getByRole('heading', { name: title })).toBeVisible()
}
async function ask(page: Page, question: string): Promise<void> {
  await box(page).fill(question)
  await box(page).press('Enter')
  await expect(page.getByRole('article').getByText(question).last()).toBeVisible()
}
async function openHistory(page: Page): Promise<void> {
  await sessions(page).waitFor()
  await page.keyboard.press('ControlOrMeta+,')
  await page.getByRole('region', { name: 'How it is locked' }).waitFor()
}
/** What the person chooses in the system's next file dialogs. */
async function chooseFile({ app }: Running, path: string): Promise<void> {
  await app.evaluate(({ dialog: system }, file) => {
    system.showSaveDialog = async () => ({ canceled: false, filePath: file })
    system.showOpenDialog = async () => ({ canceled: false, filePaths: [file] })
  }, path)
}
/** Unsent text that main holds by now. */
const keptDrafts = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const aside = (globalThis as unknown as { aside: { call(method: string, input: unknown): Promise<unknown> } }).aside
    return JSON.stringify(await aside.call('snapshot', null))
  })

test('unsent text outlives kill -9 and a passphrase; the wrong passphrase opens nothing', async ({ start, dataDir }) => {
  const first = await start()
  await startSession(first.main, 'Platform review', 'Northwind')
  await box(first.main).fill('Half a question about mandrake')
  await expect.poll(() => keptDrafts(first.main)).toContain('Half a question about mandrake')
  const gone = new Promise((resolve) => first.app.process().once('exit', resolve))
  first.app.process().kill('SIGKILL')
  await gone

  const second = await start()
  await expect(box(second.main)).toHaveValue('Half a question about mandrake')
  expect(bytesOf(join(dataDir, 'history.db')).includes('mandrake')).toBe(false)
  await openHistory(second.main)
  await second.main.getByRole('button', { name: 'Set a passphrase' }).click()
  await dialog(second.main).getByLabel('New passphrase', { exact: true }).fill(PASSPHRASE)
  await dialog(second.main).getByLabel('New passphrase again').fill(PASSPHRASE)
  await second.main.keyboard.press('Enter')
  await expect(second.main.getByRole('button', { name: 'Change passphrase' })).toBeVisible()
  await second.quit()

  const third = await start()
  const field = third.main.getByLabel('Passphrase', { exact: true })
  await expect(field).toBeFocused()
  await expect((await third.window('overlay')).getByLabel('Passphrase', { exact: true })).toBeAttached()
  await field.fill('not these words')
  await field.press('Enter')
  await expect(third.main.locator('.passphrase-note small')).toHaveAttribute('data-level', 'error')
  await expect(sessions(third.main)).toBeHidden()
  await field.fill(PASSPHRASE)
  // A growing delay holds guesses back: the door opens again by itself.
  await expect(third.main.getByRole('button', { name: 'Unlock' })).toBeEnabled()
  await field.press('Enter')
  await expect(sessions(third.main).getByText('Platform review')).toBeVisible()
  await expect(box(third.main)).toHaveValue('Half a question about mandrake')
  await third.quit()
})

test('the outbox is worked through offline, and what is left is sent when the link is back', async ({ start }) => {
  const away = await start({ env: { ASIDE_SERVICE_URL: 'grpc://127.0.0.1:9' } })
  const { main } = away
  await startSession(main, 'On the train', 'Northwind')
  await ask(main, 'Which levers reduce cost?')
  await ask(main, 'Never mind this one.')
  await main.keyboard.press('ControlOrMeta+o')
  const outbox = main.getByRole('region', { name: 'Outbox', exact: true })
  await expect(main.getByText('2 wait', { exact: true })).toBeVisible()
  await expect(outbox.getByText('Sent in order when the link is back.').first()).toBeVisible()
  await outbox.getByRole('article').first().getByRole('button', { name: 'Edit' }).click()
  await outbox.getByRole('textbox').fill(QUESTION)
  await outbox.getByRole('textbox').press('Enter')
  await expect(outbox.getByText(QUESTION)).toBeVisible()
  await outbox.getByRole('article').filter({ hasText: 'Never mind' }).getByRole('button', { name: 'Cancel' }).click()
  await expect(main.getByText('1 waits', { exact: true })).toBeVisible()
  await away.quit()

  const back = await start()
  await sessions(back.main).getByText('On the train').click()
  await expect(back.main.getByRole('article').filter({ hasText: 'Lifecycle rules' })).toBeVisible({ timeout: 20_000 })
  await expect(back.main.getByText('Cancelled')).toBeVisible()
  await back.main.keyboard.press('ControlOrMeta+o')
  await expect(back.main.getByRole('heading', { name: 'Nothing waits' })).toBeVisible()
  await back.quit()
})

test('a purge is undone by a backup, and an export comes into another profile whole', async ({ start }) => {
  const folder = mkdtempSync(join(tmpdir(), 'aside-e2e-files-'))
  try {
    const backup = join(folder, 'history.aside-backup')
    const exported = join(folder, 'history.json')
    const first = await start()
    const { main } = first
    await startSession(main, 'Platform review', 'Northwind Logistics')
    await ask(main, QUESTION)
    await expect(main.getByRole('article').last().getByRole('button', { name: 'Copy answer' })).toBeVisible()
    const answer = ((await main.locator('.answer-text').last().textContent()) ?? '').slice(0, 60)
    expect(answer.length).toBeGreaterThan(20)

    await openHistory(main)
    await chooseFile(first, backup)
    await main.getByRole('button', { name: 'Back up…' }).click()
    await dialog(main).getByRole('button', { name: 'Choose a place…' }).click()
    await expect(main.getByText('Backed up to history.aside-backup')).toBeVisible()
    expect(statSync(backup).size).toBeGreaterThan(1_000)
    expect(bytesOf(backup).includes('storage cost')).toBe(false)

    await main.getByRole('button', { name: 'Remove messages…' }).click()
    await dialog(main).getByLabel('Of client').selectOption('Northwind Logistics')
    await dialog(main).getByLabel('Type Northwind Logistics to confirm').fill('Northwind Logistics')
    await dialog(main).getByRole('button', { name: 'Remove for good' }).click()
    await expect(main.getByText('Removed for good: 2 messages in 1 session.')).toBeVisible()
    await expect(sessions(main).getByText('Platform review')).toBeHidden()

    await main.getByRole('button', { name: 'Restore…' }).click()
    await dialog(main).getByRole('button', { name: 'Choose a backup…' }).click()
    await expect(main.getByText('Restored: 2 messages in 1 session.')).toBeVisible()
    await expect(sessions(main).getByText('Platform review')).toBeVisible()

    await chooseFile(first, exported)
    await main.getByRole('button', { name: 'Export…' }).click()
    await dialog(main).getByText('JSON', { exact: true }).click()
    await dialog(main).getByRole('button', { name: 'Choose a place…' }).click()
    await expect(main.getByText('Exported to history.json: 2 messages in 1 session.')).toBeVisible()
    await first.quit()

    const second = await start({ dataDir: join(folder, 'other-profile') })
    await openHistory(second.main)
    await chooseFile(second, exported)
    await second.main.getByRole('button', { name: 'Import…' }).click()
    await expect(dialog(second.main).getByText('1 session · 2 messages')).toBeVisible()
    await dialog(second.main).getByRole('button', { name: 'Import 1 session' }).click()
    await expect(second.main.getByText('Imported: 2 messages in 1 session.')).toBeVisible()
    await sessions(second.main).getByText('Platform review').click()
    await expect(second.main.getByRole('article').getByText(QUESTION)).toBeVisible()
    await expect(second.main.getByRole('article').filter({ hasText: answer })).toBeVisible()
    await second.quit()
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
})
