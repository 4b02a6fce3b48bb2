// A process that does one thing to a history and is killed before its n-th step on the disk: what a crash leaves there.
// Arguments: what to do, the data folder, n (0: never). Exits with 0 when it was done before it came to that.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const [, , what = '', dataDir = '', killAt = '0'] = process.argv
let step = 0
/** Loading the sources is no step. */
let armed = false
type Call = (...args: readonly unknown[]) => unknown

/** Every call that changes names or makes something durable; SQLite's own writes lie between them. */
for (const name of ['renameSync', 'linkSync', 'copyFileSync', 'fsyncSync', 'rmSync', 'writeFileSync', 'openSync', 'writeSync'] as const) {
  const real = fs[name] as Call
  Object.defineProperty(fs, name, {
    value: (...args: readonly unknown[]) => {
      if (armed) step += 1
      if (armed && step === Number(killAt)) process.kill(process.pid, 'SIGKILL')
      return real(...args)
    }
  })
}
syncBuiltinESMExports()

const { acts } = await import('./diskActs.ts')
const act = acts[what]
if (act === undefined) throw new Error(`Nothing is called ${what}`)
armed = true
act(dataDir)
process.stdout.write(`${step}\n`)
