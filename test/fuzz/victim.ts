// The service that is fuzzed, in a process of its own, as the runner sees it.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { v7 as uuidv7 } from 'uuid'
import { issueToken } from '../../src/service/auth/issuer.ts'
import { signingKeys } from '../../src/service/auth/keys.ts'
import type { Measured, Ready } from './service.ts'

/** Of the webhook source `crm`. */
export const WEBHOOK_SECRET = 'a secret that the fuzzer knows'

export interface Victim extends AsyncDisposable {
  readonly ready: Ready
  token(userId: string, role?: string): Promise<string>
  measure(): Promise<Measured>
}

export async function startVictim(): Promise<Victim> {
  const folder = await mkdtemp(join(tmpdir(), 'aside-fuzz-'))
  const child = fork(fileURLToPath(new URL('./service.ts', import.meta.url)), [], {
    execArgv: ['--expose-gc'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PORT: '0',
      AI_SERVICE_PORT: '0',
      ASIDE_FIND_OLLAMA: '0',
      ASIDE_DATA_DIR: folder,
      ASIDE_RESOURCES_DIR: fileURLToPath(new URL('../../resources', import.meta.url)),
      ASIDE_WEBHOOK_SECRET_CRM: WEBHOOK_SECRET,
      AI_RATE_LIMIT_REQUESTS_PER_MINUTE: '1000000',
      AI_RATE_LIMIT_STREAMS_PER_USER: '10000'
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const died = once(child, 'exit').then(() => Promise.reject(new Error('the service has died')))
  // Nobody may be waiting when it happens.
  died.catch(() => undefined)
  const said = async (): Promise<unknown> => {
    const [message] = await Promise.race([once(child, 'message') as Promise<unknown[]>, died])
    return message
  }
  const ready = (await said()) as Ready
  const keys = signingKeys(join(folder, 'service'))
  return {
    ready,
    token: async (userId, role = 'user') => await issueToken(await keys, { userId, role, ttlMs: 86_400_000, now: Date.now(), tokenId: uuidv7() }),
    async measure() {
      const answer = said()
      child.send('measure')
      return (await answer) as Measured
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.send('stop')
        await exited
      }
      await rm(folder, { recursive: true, force: true })
    }
  }
}
