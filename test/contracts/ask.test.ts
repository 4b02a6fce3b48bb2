// The `ask` command as a process, with a host that it starts itself.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startHost, type Launch } from '../../src/main/bin/hostStart.ts'
import { parseConfig } from '../../src/main/config.ts'
import { connectToHost } from '../../src/main/endpoint/client.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fakeHost: Launch = {
  command: process.execPath,
  args: ['--disable-warning=ExperimentalWarning', join(root, 'test/fakes/endpoint-host.ts')],
  env: {}
}
let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'aside-host-'))
})
afterEach(async () => {
  const connection = await connectToHost(dataDir)
  if (connection !== null) for await (const _reply of connection.call({ method: 'stop' })) continue
  await rm(dataDir, { recursive: true, force: true })
})

const start = (launch: Launch, limitMs = 10_000): ReturnType<typeof startHost> =>
  startHost({
    config: parseConfig({ ...process.env, ASIDE_DATA_DIR: dataDir, ASIDE_TOKEN: 'secret' }, { defaultDataDir: dataDir }),
    launch,
    appDir: root,
    limitMs
  })

async function ask(
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Record<string, string> } = {}
): Promise<{ exit: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(root, 'src/main/bin/ask.ts'), ...args], {
    env: { ...process.env, ASIDE_DATA_DIR: dataDir, ...options.env }
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  child.stdin.end(options.input ?? '')
  const [exit] = (await once(child, 'close')) as [number | null]
  return { exit, out, err }
}

describe('starting a host', () => {
  test('waits until its door is open, and gives it folder, flags and token', async () => {
    const connection = await start({ ...fakeHost, env: { FAKE_HOST: 'slow' } })
    connection.close()
    const { exit, out } = await ask(['why?', '--session', 'Northwind'])
    expect([exit, out]).toEqual([0, 'Northwind> why? [--no-windows --exit-when-idle] token=secret\n'])
  })
  test('says what it said when it ended at once', async () => {
    await expect(start({ ...fakeHost, env: { FAKE_HOST: 'broken' } })).rejects.toThrow(/could not be started: the disk is full/)
    expect(await readFile(join(dataDir, 'host.log'), 'utf8')).toContain('the disk is full')
  })
  test('says so when there is nothing to start', async () => {
    await expect(start({ command: join(dataDir, 'no-such-program'), args: [], env: {} })).rejects.toThrow(/could not be started: .*ENOENT/)
  })
})

describe('the command', () => {
  test('asks the running host: text, standard input, events', async () => {
    ;(await start(fakeHost)).close()
    expect((await ask(['-'], { input: 'from a pipe\n' })).out).toContain('> from a pipe\n [')
    const { exit, out } = await ask(['x', '--json'])
    expect(exit).toBe(0)
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type)
    ).toEqual(['accepted', 'delta', 'done'])
  })
  test('exits 2 on bad usage and on a bad ASIDE_SERVICE_URL, each with one line', async () => {
    expect(await ask([])).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(/^There is no question\..*\n$/) as string })
    expect(await ask(['x'], { env: { ASIDE_SERVICE_URL: 'nonsense' } })).toMatchObject({
      exit: 2,
      out: '',
      err: expect.stringMatching(/^ASIDE_SERVICE_URL .*\n$/) as string
    })
    expect((await ask(['-'], { input: 'x'.repeat(200_000) })).err).toMatch(/^The question has 200,000 characters.*\n$/)
  })
  test('says in one line why it can’t, when the data folder is no folder', async () => {
    const file = join(dataDir, 'host.json')
    await mkdir(file)
    const { exit, err } = await ask(['--toggle'])
    expect([exit, err]).toEqual([4, 'Aside is not running. Start it with: npm start\n'])
  })
})
