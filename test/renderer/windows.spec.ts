// What only a real engine shows: scrolling, focus, keys, reloads. Titles state behaviour.
import { expect, test, type Page } from '@playwright/test'
import type { FakeBridge } from './fake-bridge.ts'

/** The fake on the page; this file is checked without the types of a browser. */
declare const fake: FakeBridge

const cutOver = 'What should the cut-over plan for the landing zone contain?'
const calls = (page: Page, method: string): Promise<unknown[]> =>
  page.evaluate((name) => fake.calls.filter((call) => call.method === name).map((call) => call.input), method)
const box = (page: Page) => page.getByRole('textbox', { name: 'Question' })
const field = (page: Page) => page.getByRole('textbox', { name: 'Ask' })
const transcript = (page: Page) => page.getByRole('region', { name: 'Transcript' })

async function open(page: Page, path: string): Promise<void> {
  await page.setViewportSize(path.startsWith('/overlay') ? { width: 420, height: 560 } : { width: 1_280, height: 800 })
  await page.goto(path)
  await page.locator('main').first().waitFor()
}
async function ask(page: Page, question: string): Promise<void> {
  await box(page).fill(question)
  await box(page).press('Enter')
  await page.getByText(question).last().waitFor()
}
const fromEnd = (page: Page): Promise<number> =>
  transcript(page).evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight)

test.describe('main window', () => {
  test('stays at the end while an answer grows, for whoever is at the end', async ({ page }) => {
    await open(page, '/index.html?token=0')
    await ask(page, cutOver)
    for (let step = 0; step < 12; step += 1) {
      await page.evaluate(() => fake.advance(12))
      await expect.poll(() => fromEnd(page)).toBeLessThan(4)
    }
    await expect(page.getByText('Answered').last()).toBeVisible()
  })

  test('does not move a reader who has scrolled up, and offers the way down', async ({ page }) => {
    await open(page, '/index.html?token=0')
    await ask(page, cutOver)
    await transcript(page).hover()
    await page.mouse.wheel(0, -700)
    await expect.poll(() => fromEnd(page)).toBeGreaterThan(400)
    const before = await transcript(page).evaluate((element) => element.scrollTop)
    await page.evaluate(() => fake.advance(120))
    const pill = page.getByRole('button', { name: 'New text below' })
    await expect(pill).toBeVisible()
    expect(await transcript(page).evaluate((element) => element.scrollTop)).toBe(before)
    await pill.click()
    await expect.poll(() => fromEnd(page)).toBeLessThan(4)
    await expect(pill).toBeHidden()
  })

  test('loads earlier pages without moving what is being read', async ({ page }) => {
    await open(page, '/index.html')
    await page.getByRole('button', { name: /Five years of weekly calls/ }).click()
    await page.getByText('(call 2500)').waitFor()
    await transcript(page).hover()
    const pages = async (): Promise<number> => (await calls(page, 'messages.page')).length
    const start = await pages()
    for (let step = 0; step < 60 && (await pages()) < start + 4; step += 1) {
      await page.mouse.wheel(0, -900)
      await page.waitForTimeout(40)
    }
    expect(await pages()).toBeGreaterThanOrEqual(start + 4)
    const numbers = await page.locator('.question-text').allInnerTexts()
    const shown = numbers.map((words) => Number(/call (\d+)/.exec(words)?.[1]))
    // In order and without a hole: nothing was lost between pages.
    expect(shown).toEqual(shown.map((_, index) => (shown[0] ?? 0) + index))
    expect(shown[0]).toBeLessThan(2_400)
  })

  test('opens a found message in its place and gives it the focus', async ({ page }) => {
    await open(page, '/index.html')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search all messages' }).pressSequentially('call 1203')
    await page.getByRole('listbox').getByRole('option').first().waitFor()
    await page.keyboard.press('Enter')
    const found = page.locator('article', { hasText: '(call 1203)' })
    await expect(found).toBeInViewport()
    await expect(found).toBeFocused()
    await expect(page.getByRole('heading', { level: 1 }).getByRole('textbox')).toHaveValue('Five years of weekly calls')
  })

  test('narrows a search by client and by days, with the keyboard alone', async ({ page }) => {
    await open(page, '/index.html')
    await page.keyboard.press('Control+k')
    const field = page.getByRole('combobox', { name: 'Search all messages' })
    await field.fill('backup')
    const queries = (): Promise<unknown[]> => calls(page, 'search.query')
    const lastQuery = async (): Promise<unknown> => (await queries()).at(-1)
    await expect.poll(lastQuery).toEqual({ text: 'backup', limit: 30 })
    await field.press('Tab')
    await page.keyboard.press('Tab')
    const client = page.getByRole('combobox', { name: 'Client' })
    await expect(client).toBeFocused()
    await page.keyboard.type('log')
    await expect(page.getByRole('option', { name: 'Orbis Logistics', exact: true })).toHaveAttribute('aria-selected', 'true')
    await page.keyboard.press('Enter')
    await expect.poll(lastQuery).toEqual({ text: 'backup', clientName: 'Orbis Logistics', limit: 30 })
    // Escape closes the suggestions, not the search.
    await page.keyboard.type('x')
    await page.keyboard.press('Escape')
    await expect(client).toHaveValue('Orbis Logistics')

    await page.getByRole('combobox', { name: 'When' }).selectOption('days')
    const asked = (await queries()).length
    await page.getByLabel('From').fill('3/4')
    await page.getByLabel('From').press('Tab')
    await expect(page.getByText('Write a day like')).toBeVisible()
    expect(await page.getByLabel('From').getAttribute('aria-invalid')).toBe('true')
    expect((await queries()).length).toBe(asked)
    await page.getByLabel('From').fill('1 March 2024')
    await page.getByLabel('To').fill('2024-03-31')
    const bounds = { from: new Date(2024, 2, 1).getTime(), to: new Date(2024, 3, 1).getTime() - 1 }
    await expect.poll(lastQuery).toEqual({ text: 'backup', clientName: 'Orbis Logistics', ...bounds, limit: 30 })
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await expect.poll(lastQuery).toEqual({ text: 'backup', limit: 30 })
    await expect(page.getByLabel('From')).toHaveCount(0)
  })

  test('shows more of a search when the last hit is reached, and keeps the choice', async ({ page }) => {
    await open(page, '/index.html')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search all messages' }).fill('backup')
    const options = page.getByRole('listbox', { name: 'Search all messages' }).getByRole('option')
    await expect(options).toHaveCount(30)
    for (let step = 0; step < 29; step += 1) await page.keyboard.press('ArrowDown')
    await expect(options).toHaveCount(100)
    await expect(options.nth(29)).toHaveAttribute('aria-selected', 'true')
    await expect(page.getByText('There are more. Another word')).toBeVisible()
  })

  test('keeps a draft through a reload and per session', async ({ page }) => {
    await open(page, '/index.html')
    await box(page).fill('Half a question about the')
    await page.getByRole('button', { name: /Landing zone/ }).click()
    await expect(box(page)).toHaveValue('')
    await page.getByRole('button', { name: /Claims platform/ }).click()
    await expect(box(page)).toHaveValue('Half a question about the')
    await page.reload()
    await expect(box(page)).toHaveValue('Half a question about the')
  })

  test('sends with Enter, breaks the line with Shift+Enter, and asks by Alt and a digit', async ({ page }) => {
    await open(page, '/index.html?token=0')
    await box(page).fill('One')
    await box(page).press('Shift+Enter')
    await box(page).pressSequentially('Two')
    expect(await calls(page, 'turn.ask')).toHaveLength(0)
    await box(page).press('Enter')
    await expect(box(page)).toHaveValue('')
    await page.keyboard.press('Alt+4')
    await expect.poll(() => calls(page, 'turn.ask')).toHaveLength(2)
    expect(await calls(page, 'turn.ask')).toMatchObject([{ text: 'One\nTwo' }, { quickAction: 'cost' }])
  })

  test('keeps the text and says why when the core refuses a question', async ({ page }) => {
    await open(page, '/index.html')
    await box(page).fill('x'.repeat(32_001))
    await expect(page.getByText('1 characters too long')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Ask', exact: true })).toBeDisabled()
    await box(page).press('Enter')
    expect(await calls(page, 'turn.ask')).toHaveLength(0)
    expect((await box(page).inputValue()).length).toBe(32_001)
  })

  test('queues in words while offline and answers when the link is back', async ({ page }) => {
    await open(page, '/index.html?token=5')
    await page.evaluate(() => fake.goOffline())
    await ask(page, cutOver)
    await expect(page.getByText('Queued')).toBeVisible()
    await expect(page.getByText('Offline. 1 question is saved and will be sent.')).toBeVisible()
    await page.evaluate(() => fake.goOnline())
    await expect(page.getByText('Queued')).toBeHidden()
    await expect(page.getByText('follow within minutes.')).toBeVisible()
  })

  test('shows hostile text as text', async ({ page }) => {
    await open(page, '/index.html?token=0')
    const hostile = '<img src=x onerror="document.title=\'owned\'"> <script>document.title="owned"</script> \u202Egnp.exe'
    await ask(page, '<img src=x onerror=')
    await page.evaluate((text) => {
      const question = [...fake.messages.values()].at(-2)
      const answer = [...fake.messages.values()].at(-1)
      if (question === undefined || answer === undefined || answer.answer === null) throw new Error('no answer to replace')
      fake.push({ slice: 'message', value: { ...answer, text, answer: { ...answer.answer, state: 'done' } } })
    }, hostile)
    await expect(page.getByText('<script>')).toBeVisible()
    expect(await page.title()).not.toBe('owned')
    expect(await page.locator('.answer-text img, .answer-text script').count()).toBe(0)
  })

  test('records a shortcut by pressing it', async ({ page }) => {
    await open(page, '/index.html')
    await page.keyboard.press('Control+,')
    await page.getByRole('group', { name: 'Show or hide the overlay' }).getByRole('button', { name: 'Change' }).click()
    await page.keyboard.press('a')
    await expect(page.getByText('Hold Ctrl, Alt, Shift or ⌘ with another key.')).toBeVisible()
    await page.keyboard.press('Control+Alt+j')
    expect(await calls(page, 'settings.change')).toEqual([{ shortcuts: { toggleOverlay: 'CommandOrControl+Alt+J' } }])
  })

  test('saves what is typed into the details, also when the panel is closed at once', async ({ page }) => {
    await open(page, '/index.html')
    await page.getByRole('button', { name: 'Details' }).click()
    await page.getByRole('textbox', { name: 'Client' }).fill('Nordhavn Group')
    await page.getByRole('button', { name: 'Close details' }).last().click()
    await expect.poll(() => calls(page, 'sessions.update')).toEqual([{ id: 's-claims', details: { clientName: 'Nordhavn Group' } }])
  })
})

test.describe('overlay', () => {
  test('is typed in at once, and makes a session for today at the first question', async ({ page }) => {
    await open(page, '/overlay.html?session=none&token=0')
    await expect(field(page)).toBeFocused()
    await page.keyboard.type(cutOver)
    await page.keyboard.press('Enter')
    await expect(field(page)).toHaveValue('')
    const created = await calls(page, 'sessions.create')
    expect(created).toHaveLength(1)
    expect((created[0] as { title: string }).title).toContain('Meeting, ')
    await page.evaluate(() => fake.advance(60))
    await expect(page.getByText('a timetable with a way back')).toBeVisible()
  })

  test('stops with Esc while an answer comes, and hides with the next Esc', async ({ page }) => {
    await open(page, '/overlay.html?token=0')
    await field(page).fill(cutOver)
    await page.keyboard.press('Enter')
    await page.evaluate(() => fake.advance(30))
    await expect(page.getByRole('button', { name: 'Stop (Esc)' })).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByText('You stopped this answer.')).toBeVisible()
    expect(await calls(page, 'overlay.hide')).toHaveLength(0)
    await page.keyboard.press('Escape')
    await expect.poll(() => calls(page, 'overlay.hide')).toHaveLength(1)
  })

  test('walks through earlier answers with the arrows while the field is empty', async ({ page }) => {
    await open(page, '/overlay.html')
    await expect(page.getByText('4 of 4')).toBeVisible()
    await page.keyboard.press('ArrowUp')
    await expect(page.getByText('3 of 4')).toBeVisible()
    await page.keyboard.type('x')
    await page.keyboard.press('ArrowUp')
    await expect(page.getByText('3 of 4')).toBeVisible()
  })

  test('unfolds the details with a key', async ({ page }) => {
    await open(page, '/overlay.html?token=0')
    await field(page).fill(cutOver)
    await page.keyboard.press('Enter')
    await page.evaluate(() => fake.advance(500))
    await expect(page.getByText('follow within minutes.')).toBeHidden()
    await page.keyboard.press('Alt+d')
    await expect(page.getByText('follow within minutes.')).toBeVisible()
  })
})

test.describe('main window, what was hard to reach', () => {
  test('opens a found message of an archived session', async ({ page }) => {
    await open(page, '/index.html')
    await page.evaluate(() => {
      const [question, answer] = [...fake.messages.values()]
      if (question === undefined || answer === undefined) throw new Error('no messages')
      fake.messages.set('old-q', { ...question, id: 'old-q', sessionId: 's-old', turnId: null, text: 'What was said at the kick-off?' })
    })
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search all messages' }).pressSequentially('said at the kick-off')
    await page.getByRole('listbox').getByRole('option').first().waitFor()
    await page.keyboard.press('Enter')
    await expect(page.getByRole('heading', { level: 1 }).getByRole('textbox')).toHaveValue('Kick-off')
    await expect(page.locator('article', { hasText: 'What was said at the kick-off?' })).toBeFocused()
  })

  test('goes on with an edit that a reload interrupted', async ({ page }) => {
    await open(page, '/index.html?token=0')
    const edit = async (): Promise<void> => {
      await page.evaluate(() => {
        const question = [...fake.messages.values()].find((message) => message.id === 's-claims-q7')
        if (question === undefined || question.delivery === null) throw new Error('no question')
        const failed = {
          ...question,
          delivery: { ...question.delivery, state: 'failed' as const, error: { code: 'refused' as const, message: 'The provider refused it.' } }
        }
        fake.messages.set(failed.id, failed)
        fake.push({ slice: 'message', value: failed })
      })
    }
    await edit()
    await page.getByRole('button', { name: 'Edit', exact: true }).click()
    await page.locator('article textarea').fill('Which levers reduce it by half?')
    await page.reload()
    await page.locator('main').first().waitFor()
    await edit()
    await expect(page.locator('article textarea')).toHaveValue('Which levers reduce it by half?')
    await page.locator('article textarea').press('Enter')
    expect(await calls(page, 'turn.edit')).toEqual([{ messageId: 's-claims-q7', text: 'Which levers reduce it by half?' }])
  })

  test('moves the focus into the drawer and back', async ({ page }) => {
    await open(page, '/index.html')
    await page.setViewportSize({ width: 360, height: 740 })
    await page.getByRole('button', { name: 'Show sessions' }).click()
    await expect(page.getByRole('button', { name: 'Hide sessions' })).toBeFocused()
    await page.keyboard.press('Escape')
    await expect(page.getByRole('button', { name: 'Show sessions' })).toBeFocused()
  })
})
