// The outbox, the locked start and the care of the history in a real engine: keys, focus, dialogs. Titles state behaviour.
import { expect, test, type Page } from '@playwright/test'
import type { FakeBridge } from './fake-bridge.ts'

/** The fake on the page; this file is checked without the types of a browser. */
declare const fake: FakeBridge

const PASSPHRASE = 'four plain words here'
const calls = (page: Page, method: string): Promise<unknown[]> =>
  page.evaluate((name) => fake.calls.filter((call) => call.method === name).map((call) => call.input), method)
const outbox = (page: Page) => page.getByRole('region', { name: 'Outbox' })
const dialog = (page: Page) => page.getByRole('dialog')

async function open(page: Page, path: string): Promise<void> {
  await page.setViewportSize({ width: 1_280, height: 800 })
  await page.goto(path)
  await page.locator('main').first().waitFor()
}
async function queue(page: Page, ...questions: string[]): Promise<void> {
  await page.evaluate(() => fake.goOffline())
  for (const question of questions) {
    await page.getByRole('textbox', { name: 'Question' }).fill(question)
    await page.getByRole('textbox', { name: 'Question' }).press('Enter')
    await page.locator('.question-text', { hasText: question }).waitFor()
  }
}
async function openHistory(page: Page): Promise<void> {
  await page.keyboard.press('Control+,')
  await page.getByRole('region', { name: 'How it is locked' }).waitFor()
}

test.describe('the outbox', () => {
  test('is reached, worked through and left with the keyboard alone, and the focus is never lost', async ({ page }) => {
    await open(page, '/index.html?token=0')
    await queue(page, 'First?', 'Second?', 'Third?')
    await expect(page.getByText('Offline. 3 questions are saved')).toBeVisible()
    await page.keyboard.press('Control+o')
    await expect(page.getByRole('heading', { name: 'Outbox', level: 1 })).toBeVisible()
    await expect(page.getByText('3 wait', { exact: true })).toBeVisible()
    await outbox(page).focus()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await expect(page.getByRole('button', { name: 'Edit' }).first()).toBeFocused()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await expect(page.getByText('2 wait', { exact: true })).toBeVisible()
    expect(await page.evaluate('document.activeElement.closest("article")?.textContent ?? ""')).toContain('Second?')
    await page.keyboard.press('Escape')
    await expect(page.getByRole('textbox', { name: 'Question' })).toBeVisible()
  })

  test('sends an edited question in its place when the link is back', async ({ page }) => {
    await open(page, '/index.html?token=0')
    await queue(page, 'How much is it?')
    await page.keyboard.press('Control+o')
    await outbox(page).getByRole('button', { name: 'Edit' }).click()
    await expect(outbox(page).getByRole('textbox')).toBeFocused()
    await page.keyboard.press('Escape')
    await expect(page.getByRole('heading', { name: 'Outbox', level: 1 })).toBeVisible()
    await outbox(page).getByRole('button', { name: 'Edit' }).click()
    await outbox(page).getByRole('textbox').fill('How much is it per month?')
    await page.keyboard.press('Enter')
    await expect(outbox(page).getByText('How much is it per month?')).toBeVisible()
    await page.evaluate(() => fake.goOnline())
    await page.evaluate(() => fake.advance(10_000))
    await expect(page.getByText('Nothing waits')).toBeVisible()
  })

  test('says why a question failed, and sends it again', async ({ page }) => {
    await open(page, '/index.html?token=0')
    await queue(page, 'Refused?')
    await page.evaluate(() => {
      const question = [...fake.messages.values()].find((message) => message.text === 'Refused?')
      if (question?.delivery == null) throw new Error('no question')
      const failed = {
        ...question,
        delivery: { ...question.delivery, state: 'failed' as const, error: { code: 'refused' as const, message: 'Refused by its filter.' } }
      }
      fake.messages.set(failed.id, failed)
      fake.push({ slice: 'message', value: failed })
    })
    await page.keyboard.press('Control+o')
    await expect(outbox(page).getByText('Refused by its filter.')).toBeVisible()
    await outbox(page).getByRole('button', { name: 'Send again' }).click()
    await expect.poll(() => calls(page, 'outbox.sendNow')).toHaveLength(1)
    await expect(outbox(page).getByText('Sent in order when the link is back.')).toBeVisible()
  })
})

test.describe('the link', () => {
  test('does not flicker for an outage that is over at once, and tells of one that lasts', async ({ page }) => {
    await open(page, '/index.html?token=0')
    await page.evaluate(() => fake.goOffline())
    await page.waitForTimeout(400)
    await expect(page.getByText('Offline. Questions are saved')).toBeHidden()
    await page.evaluate(() => fake.goOnline())
    await page.waitForTimeout(900)
    await expect(page.getByText('Offline. Questions are saved')).toBeHidden()
    await page.evaluate(() => fake.goOffline('The service can’t be reached.'))
    await expect(page.getByText('Offline. Questions are saved')).toBeVisible()
    await expect(page.getByRole('status').filter({ hasText: 'Offline. The service can’t be reached.' })).toHaveCount(1)
    await page.getByRole('button', { name: /^Offline/ }).click()
    await expect(page.getByText(/Next try in \d+ s/)).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByRole('button', { name: /^Offline/ })).toBeFocused()
  })
})

test.describe('the locked start', () => {
  test('takes the passphrase at once, says when it is wrong, and opens the sessions', async ({ page }) => {
    await open(page, '/index.html?locked')
    await expect(page.getByLabel('Passphrase', { exact: true })).toBeFocused()
    await page.keyboard.type('wrong words')
    await page.keyboard.press('Enter')
    await expect(page.getByText('This is not the passphrase of this history.')).toBeVisible()
    await page.keyboard.type(PASSPHRASE)
    await page.keyboard.press('Enter')
    await expect(page.getByRole('navigation', { name: 'Sessions' })).toBeVisible()
    await expect(page.getByText('Which levers reduce').first()).toBeVisible()
  })

  test('works in the overlay, which Esc hides', async ({ page }) => {
    await open(page, '/overlay.html?locked')
    await expect(page.getByLabel('Passphrase', { exact: true })).toBeFocused()
    await page.keyboard.press('Escape')
    await expect.poll(() => calls(page, 'overlay.hide')).toHaveLength(1)
    await page.keyboard.type(PASSPHRASE)
    await page.keyboard.press('Enter')
    await expect(page.getByRole('textbox', { name: 'Ask', exact: true })).toBeFocused()
  })
})

test.describe('history and privacy', () => {
  test('sets a passphrase only when both are the same and long enough', async ({ page }) => {
    await open(page, '/index.html?key=file')
    await openHistory(page)
    await expect(page.getByText('this system offers no key store')).toBeVisible()
    await page.getByRole('button', { name: 'Set a passphrase' }).click()
    const set = dialog(page).getByRole('button', { name: 'Set a passphrase' })
    await page.keyboard.type('short')
    await expect(dialog(page).getByText('At least 8 characters.')).toBeVisible()
    await dialog(page).getByLabel('New passphrase', { exact: true }).fill(PASSPHRASE)
    await dialog(page).getByLabel('New passphrase again').fill('four plain words')
    await expect(set).toBeDisabled()
    await dialog(page).getByLabel('New passphrase again').fill(PASSPHRASE)
    await dialog(page).getByLabel('New passphrase again').press('Enter')
    await expect(dialog(page)).toBeHidden()
    expect(await calls(page, 'history.setPassphrase')).toEqual([{ current: null, next: PASSPHRASE }])
    await expect(page.getByRole('button', { name: 'Change passphrase' })).toBeVisible()
  })

  test('keeps the dialog and says so at its field when the present passphrase is wrong', async ({ page }) => {
    await open(page, '/index.html?key=passphrase')
    await openHistory(page)
    await page.getByRole('button', { name: 'Remove passphrase' }).click()
    await page.keyboard.type('not it')
    await page.keyboard.press('Enter')
    await expect(dialog(page).getByText('This is not the passphrase of this history.')).toBeVisible()
    await dialog(page).getByLabel('Present passphrase').fill(PASSPHRASE)
    await page.keyboard.press('Enter')
    await expect(page.getByRole('button', { name: 'Set a passphrase' })).toBeVisible()
  })

  test('shows long work in its place, lets it be stopped, and keeps what failed until it is read', async ({ page }) => {
    await open(page, '/index.html?step=150')
    await openHistory(page)
    await page.getByRole('button', { name: 'Export…' }).click()
    await dialog(page).getByRole('button', { name: 'Choose a place…' }).click()
    await expect(dialog(page)).toBeHidden()
    await expect(page.getByRole('progressbar', { name: 'Writing aside.md' })).toBeVisible()
    await page.getByRole('button', { name: 'Stop' }).click()
    await expect(page.getByText('You stopped it. Nothing was changed.')).toBeVisible()
    await expect(page.getByRole('progressbar')).toBeHidden()

    await page.evaluate(() =>
      fake.jobs.failNext(
        Object.assign(new Error('The disk is full. Nothing was written; free some space.'), { code: 'unavailable', name: 'CopilotError' }) as never
      )
    )
    await page.getByRole('button', { name: 'Export…' }).click()
    await dialog(page).getByRole('button', { name: 'Choose a place…' }).click()
    await expect(page.getByRole('alert').filter({ hasText: 'The export failed.' })).toBeVisible()
    await page.getByRole('alert').getByRole('button', { name: 'Dismiss' }).click()
    await expect(page.getByRole('alert')).toBeHidden()
  })

  test('leaves everything as it is when the person chooses no file', async ({ page }) => {
    await open(page, '/index.html')
    await openHistory(page)
    await page.evaluate(() => fake.fileAnswers.push(null, null))
    await page.getByRole('button', { name: 'Back up…' }).click()
    await dialog(page).getByRole('button', { name: 'Choose a place…' }).click()
    await expect(dialog(page).getByRole('button', { name: 'Choose a place…' })).toBeEnabled()
    await page.keyboard.press('Escape')
    await expect(page.getByRole('button', { name: 'Back up…' })).toBeFocused()
    await page.getByRole('button', { name: 'Import…' }).click()
    await expect(page.getByRole('button', { name: 'Import…' })).toBeEnabled()
    await expect(dialog(page)).toBeHidden()
  })

  test('purges only what was chosen, counted and confirmed by name', async ({ page }) => {
    await open(page, '/index.html?step=1')
    await openHistory(page)
    await page.getByRole('button', { name: 'Remove messages…' }).click()
    const yes = dialog(page).getByRole('button', { name: 'Remove for good' })
    await expect(yes).toBeDisabled()
    await dialog(page).getByLabel('Of client').selectOption('Nordhavn Insurance')
    await expect(dialog(page).getByText('This removes 8 messages in 1 session.')).toBeVisible()
    await expect(yes).toBeDisabled()
    await dialog(page).getByLabel('Type Nordhavn Insurance to confirm').fill('Nordhavn Insurance')
    await yes.click()
    await expect(page.getByText('Removed for good: 8 messages in 1 session.')).toBeVisible()
    expect(await calls(page, 'history.purge')).toEqual([{ clientName: 'Nordhavn Insurance' }])
    await expect(page.getByText('is not in this history. Another one is shown.')).toBeVisible()
    // One stays where one was.
    await expect(page.getByRole('heading', { name: 'Settings', level: 1 })).toBeVisible()
    await expect(page.getByRole('navigation', { name: 'Sessions' }).getByText('Claims platform')).toBeHidden()
  })

  test('imports after showing what is found, or discards it', async ({ page }) => {
    await open(page, '/index.html?step=1')
    await openHistory(page)
    await page.getByRole('button', { name: 'Import…' }).click()
    await expect(dialog(page).getByText('41 pictures are left out')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect.poll(() => calls(page, 'import.discard')).toHaveLength(1)
    await page.getByRole('button', { name: 'Import…' }).click()
    await dialog(page).getByLabel('Put them under client').fill('Orbis Logistics')
    await dialog(page).getByRole('button', { name: 'Import 211 sessions' }).click()
    await expect(page.getByText('Imported: 6,318 messages in 211 sessions.')).toBeVisible()
    await expect(page.getByRole('navigation', { name: 'Sessions' }).getByText('Imported conversation')).toBeVisible()
  })

  test('keeps rules per client, with a look at what they take', async ({ page }) => {
    await open(page, '/index.html')
    await openHistory(page)
    await page.getByRole('button', { name: 'Add a rule' }).click()
    await dialog(page).getByLabel('Client').fill('Orbis Logistics')
    await dialog(page).getByRole('textbox', { name: 'Days' }).fill('0')
    await expect(dialog(page).getByRole('button', { name: 'Save rule' })).toBeDisabled()
    await dialog(page).getByRole('radio', { name: '90 days' }).check()
    await expect(dialog(page).getByText(/At the next start this removes [\d,]+ messages in 1 session for good\./)).toBeVisible()
    await dialog(page).getByRole('button', { name: 'Save rule' }).click()
    await expect(page.getByRole('listitem').filter({ hasText: 'Orbis Logistics' }).filter({ hasText: '90 days' })).toBeVisible()
    await page.getByRole('button', { name: 'Remove: Orbis Logistics' }).click()
    await expect(page.getByRole('button', { name: 'Remove: Orbis Logistics' })).toBeHidden()
  })
})
