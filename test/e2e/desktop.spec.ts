// Desktop manners: the overlay's place, a second launch, the command line, a service that is not there.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test, type Running } from './app.ts'

const run = promisify(execFile)

async function overlayBounds(running: Running): Promise<{ x: number; y: number; width: number; height: number }> {
  return (await running.app.browserWindow(await running.window('overlay'))).evaluate((w) => w.getBounds())
}

test('the overlay comes back where it was left', async ({ start }) => {
  const first = await start()
  await first.hotkey()
  const wanted = { x: 120, y: 140, width: 380, height: 420 }
  await (await first.app.browserWindow(await first.window('overlay'))).evaluate((w, bounds) => w.setBounds(bounds), wanted)
  await expect.poll(() => overlayBounds(first)).toEqual(wanted)
  // Places are written shortly after the last move.
  await first.main.waitForTimeout(600)
  await first.quit()

  const second = await start()
  await second.hotkey()
  expect(await overlayBounds(second)).toEqual(wanted)
  await second.quit()
})

test('a second launch asks the one that runs', async ({ start, dataDir }) => {
  const running = await start()
  const overlay = await running.window('overlay')
  const visible = async (): Promise<boolean> => (await running.app.browserWindow(overlay)).evaluate((w) => w.isVisible())
  expect(await visible()).toBe(false)
  const electron = process.env['ELECTRON_OVERRIDE_DIST_PATH']
    ? `${process.env['ELECTRON_OVERRIDE_DIST_PATH']}/electron`
    : ((await import('electron')).default as unknown as string)
  const again = (argument: string) => run(electron, ['.', argument], { env: { ...process.env, ASIDE_DATA_DIR: dataDir }, timeout: 20_000 })
  await again('--toggle')
  await expect.poll(visible).toBe(true)
  await again('aside://ask?q=What%20is%20a%20landing%20zone%3F')
  await expect(overlay.getByRole('textbox', { name: 'Ask', exact: true })).toHaveValue('What is a landing zone?')
  await again('--toggle')
  await expect.poll(visible).toBe(false)
  await running.quit()
})

test('the command line asks the app that runs, and the conversation is in its history', async ({ start, dataDir }) => {
  const running = await start()
  const env = { ...process.env, ASIDE_DATA_DIR: dataDir }
  const { stdout } = await run('npm', ['run', '--silent', 'ask', '--', 'Which levers reduce S3 storage cost?', '--session', 'From the terminal'], {
    env,
    timeout: 30_000
  })
  expect(stdout).toMatch(/Lifecycle rules.*\[1\]/)
  expect(stdout).toMatch(/Provider: .*tokens: 0 in, 0 out.*cost: \$0\.00.*first text: /)
  await running.main.getByRole('navigation', { name: 'Sessions' }).getByText('From the terminal').click()
  await expect(running.main.getByRole('article').getByText('Which levers reduce S3 storage cost?')).toBeVisible()
  await expect(running.main.getByRole('article').last()).toContainText('Lifecycle rules')
  await running.quit()
})

test('without a service questions are kept, shown as queued, and sent when one is there', async ({ start }) => {
  const away = await start({ env: { ASIDE_SERVICE_URL: 'grpc://127.0.0.1:9' } })
  await expect(away.main.getByText('Offline. Questions are saved and will be sent in order.')).toBeVisible()
  await away.main.getByRole('button', { name: 'Which levers reduce S3 storage cost?' }).click()
  const field = away.main.getByRole('textbox', { name: 'Question' })
  await expect(field).toHaveValue('Which levers reduce S3 storage cost?')
  await field.press('Enter')
  await expect(away.main.getByText('Queued').first()).toBeVisible()
  await away.quit()

  const back = await start()
  await back.main.getByRole('navigation', { name: 'Sessions' }).getByRole('listitem').first().click()
  await expect(back.main.getByRole('article').last()).toContainText('Lifecycle rules', { timeout: 20_000 })
  await expect(back.main.getByText('Answered').first()).toBeVisible()
  await back.quit()
})
