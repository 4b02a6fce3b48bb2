// A thread that steps back leaves the thread that started it as it was.
import { once } from 'node:events'
import { getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { stepBack } from './priority.ts'

const inThread = `
  const { readlinkSync } = require('node:fs')
  const { getPriority } = require('node:os')
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData).then(({ stepBack }) => {
    const before = getPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)))
    const did = stepBack()
    parentPort.postMessage({ did, by: getPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1))) - before })
  })`

describe('stepBack', () => {
  it.runIf(process.platform === 'linux')('lowers the thread that calls it, and no other', async () => {
    const before = getPriority()
    const worker = new Worker(inThread, { eval: true, workerData: new URL('./priority.ts', import.meta.url).href, execArgv: [] })
    const [said] = (await once(worker, 'message')) as [{ did: boolean; by: number }]
    await worker.terminate()
    // Somebody who is very polite already can't be more so.
    expect(said).toEqual({ did: true, by: Math.min(5, 19 - before) })
    expect(getPriority()).toBe(before)
  })

  it('does nothing where threads have no priority of their own', () => {
    expect(stepBack('darwin')).toBe(false)
    expect(stepBack('win32')).toBe(false)
  })
})
