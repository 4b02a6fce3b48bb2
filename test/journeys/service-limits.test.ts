// Limits, budgets and their emergency door through the running service, as a client meets them.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { describe, expect, it } from 'vitest'
import { issueToken } from '../../src/service/auth/issuer.ts'
import { signingKeys } from '../../src/service/auth/keys.ts'
import { tempFolder } from '../fakes/service-parts.ts'
import { startHere, type ServiceHere } from '../fakes/service-running.ts'

async function post(
  here: ServiceHere,
  path: string,
  token: string,
  body: object,
  method = 'POST'
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://${here.service.http}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
}
const ask = (here: ServiceHere, token: string, turnId = uuidv7()) =>
  post(here, '/api/ai/chat', token, { message: 'What is Harbor?', turn_id: turnId })
const admin = async (here: ServiceHere): Promise<string> =>
  await issueToken(await signingKeys(here.dataDir), { userId: 'root', role: 'admin', ttlMs: 60_000, now: Date.now(), tokenId: uuidv7() })

describe('limits of the running service', () => {
  it('end a free day after its questions, not for a turn that is sent again, and can be lifted by an administrator', async () => {
    await using here = await startHere({ environment: { AI_DEFAULT_TIER: 'FREE' } })
    const token = await here.token('anna')
    const first = uuidv7()
    expect((await ask(here, token, first)).status).toBe(200)
    for (let again = 0; again < 3; again += 1) expect((await ask(here, token, first)).status).toBe(200)
    // Five at once are the organisation's burst.
    for (let more = 0; more < 4; more += 1) expect((await ask(here, token)).status).toBe(200)
    const refused = await ask(here, token)
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'AI_RATE_LIMITED', retry_after: expect.any(Number) } } })

    const order = { organisation: 'default', for: '1h', reason: 'Board meeting' }
    expect((await post(here, '/api/v1/admin/limits/override', token, order)).status).toBe(403)
    const root = await admin(here)
    expect((await post(here, '/api/v1/admin/limits/override', root, { ...order, for: 'ever' })).status).toBe(400)
    expect(await post(here, '/api/v1/admin/limits/override', root, order)).toMatchObject({ status: 200, body: { granted_by: 'root' } })
    for (let more = 0; more < 10; more += 1) expect((await ask(here, token)).status).toBe(200)
    expect((await post(here, '/api/v1/admin/limits/override', root, { organisation: 'default' }, 'DELETE')).status).toBe(204)
    expect((await ask(here, token)).status).toBe(429)
    const audit = await fetch(`http://${here.service.http}/api/v1/audit`, { headers: { authorization: `Bearer ${root}` } })
    const { entries } = (await audit.json()) as { entries: { action: string }[] }
    expect(entries.map(({ action }) => action).filter((action) => action.startsWith('limit.'))).toEqual([
      'limit.restored',
      'limit.overridden',
      'limit.override.refused'
    ])
  })

  it('hold requests a minute of a user', async () => {
    await using here = await startHere({ environment: { AI_RATE_LIMIT_REQUESTS_PER_MINUTE: '3' } })
    const token = await here.token('anna')
    const statuses = []
    for (let request = 0; request < 5; request += 1) statuses.push((await ask(here, token)).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429])
    expect((await ask(here, await here.token('bob'))).status).toBe(200)
  })

  it('end at a budget of nothing, with the day on which it begins anew', async () => {
    await using folder = await tempFolder()
    const file = join(folder.path, 'limits.json')
    await writeFile(file, JSON.stringify({ organisations: { default: { budgetUsd: 0 } } }))
    await using here = await startHere({ environment: { AI_LIMITS_FILE: file } })
    const refused = await ask(here, await here.token('anna'))
    expect(refused).toMatchObject({ status: 402, body: { error: { code: 'AI_BUDGET_EXHAUSTED' } } })
    expect(JSON.stringify(refused.body)).toMatch(/until \d{4}-\d{2}-01/)
  })

  it('stop the start when their file is wrong, in one line', async () => {
    await using folder = await tempFolder()
    const file = join(folder.path, 'limits.json')
    await writeFile(file, '{"organisations": {"north": {"budgetUsd": "much"}}}')
    await expect(startHere({ environment: { AI_LIMITS_FILE: file } })).rejects.toThrow(
      /AI_LIMITS_FILE .* is wrong at organisations\.north\.budgetUsd/
    )
  })

  it('are seen in the status: breakers, answers under way, questions that wait', async () => {
    await using here = await startHere()
    const response = await fetch(`http://${here.service.http}/api/ai/status`, { headers: { authorization: `Bearer ${await here.token()}` } })
    expect(await response.json()).toMatchObject({
      queue_depth: 0,
      providers: expect.arrayContaining([expect.objectContaining({ id: 'local', breaker: 'closed', in_flight: 0, ready: true })])
    })
  })
})
