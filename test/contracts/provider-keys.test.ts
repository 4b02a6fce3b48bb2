// Keys set by the command while the service runs: the next question uses them, the log says which and never what.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { auditedIn } from '../fakes/service-audit.ts'
import { tempFolder } from '../fakes/service-parts.ts'
import { root, startHere } from '../fakes/service-running.ts'
import { chunk, done, finish, startUpstream, stream } from '../fakes/service-upstream.ts'

const run = promisify(execFile)
const command = `${root}src/service/bin/key.ts`

async function setKey(dataDir: string, name: string, key: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [command, 'set', name], { env: { ASIDE_DATA_DIR: dataDir } })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  child.stdin.end(key)
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...said }
}

describe('service:key', () => {
  it('changes the key of a running service, and accounts for its use', async () => {
    await using upstream = await startUpstream()
    upstream.script((response) => void stream(response).end(chunk('Hi') + finish() + done))
    const here = await startHere({ environment: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-first', OPENAI_MODEL: 'm-1' } })
    const token = await here.token()
    const ask = async (): Promise<string | undefined> => {
      const answer = await fetch(`http://${here.service.http}/api/ai/chat`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ message: 'Hello there?' })
      })
      expect(await answer.json()).toMatchObject({ response: 'Hi' })
      return upstream.requests.at(-1)?.authorization
    }
    expect(await ask()).toBe('Bearer sk-first')
    const set = await setKey(dirname(here.dataDir), 'openai', 'sk-second\n')
    expect(set).toMatchObject({ code: 0, stdout: expect.stringMatching(/^openai-[0-9a-f]{8}\n$/), stderr: '' })
    await vi.waitFor(async () => expect(await ask()).toBe('Bearer sk-second'), { timeout: 10_000, interval: 200 })
    const id = set.stdout.trim()
    const listed = await run(process.execPath, [command, 'list'], { env: { ASIDE_DATA_DIR: dirname(here.dataDir) } })
    expect(listed.stdout).toMatch(new RegExp(`^openai ${id} \\d{4}-`))
    await here.service.stop()
    const audited = await auditedIn(here.dataDir)
    expect(audited).toContainEqual(expect.objectContaining({ action: 'provider-key.set', subject: id }))
    expect(audited).toContainEqual(expect.objectContaining({ action: 'provider-key.used', subject: 'openai-environment' }))
    expect(audited).toContainEqual(expect.objectContaining({ action: 'provider-key.used', subject: id }))
    expect(JSON.stringify(here.logger.lines)).not.toMatch(/sk-first|sk-second/)
  })

  it.each([
    ['set', 'nobody'],
    ['forget', 'openai'],
    ['set', 'openai', 'sk-on-the-command-line']
  ])('refuses %s %s', async (...words) => {
    await using folder = await tempFolder()
    const failed = run(process.execPath, [command, ...words], { env: { ASIDE_DATA_DIR: folder.path } })
    await expect(failed).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('Usage: ') })
  })

  it('refuses what is no key', async () => {
    await using folder = await tempFolder()
    expect(await setKey(folder.path, 'openai', '  \n')).toMatchObject({ code: 1, stderr: 'The key is empty. Give it on standard input.\n' })
    expect(await setKey(folder.path, 'openai', 'x'.repeat(200_000))).toMatchObject({ code: 2 })
  })
})
