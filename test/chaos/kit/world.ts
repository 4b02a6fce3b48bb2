// The world of a run: one core, one service, the network between them, and a person who asks. What is started here is
// ended by `stop`.
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createAsker, type Asker } from './asker.ts'
import type { FromCore, Sabotage, ToCore } from './coreTalk.ts'
import { startCore, startService, type ChaosFolders, type CoreVictim, type ServiceVictim } from './processes.ts'
import { createProxy, type Proxy } from './proxy.ts'

export interface WorldOptions {
  readonly program: 'core' | 'streamCore'
  readonly sabotage?: Sabotage
  /** Where everything is kept; made, under the system's own, where none is given. */
  readonly folder?: string | undefined
  readonly onMessage?: (message: FromCore, life: number) => void
}

export interface World {
  readonly folder: string
  readonly folders: ChaosFolders
  readonly proxies: { readonly grpc: Proxy; readonly http: Proxy }
  readonly both: readonly Proxy[]
  readonly asker: Asker
  /** What a process said of its database when it opened it, or why it did not start. */
  readonly incidents: readonly string[]
  /** Starts it; the network leads to it once it is ready, if it lives that long. */
  launchService(): ServiceVictim
  loseService(how: 'kill' | 'terminate'): Promise<void>
  /** Starts it, and waits for nothing. */
  launchCore(): CoreVictim
  /** Starts it, waits until it is ready, and lets the person ask it. */
  bringCore(): Promise<void>
  loseCore(): Promise<void>
  tell(message: ToCore): void
  session(title: string): Promise<string>
  /** How many questions are on their way, also in words for the progress. */
  onTheirWay(): Promise<{ readonly count: number; readonly words: string }>
  /** Resolves true when nothing is on its way any more, false when none arrives for `limitMs`; the network stays as it is. */
  arrive(limitMs: number, progress: (line: string) => void): Promise<boolean>
  /** Mends the network, and then the same. */
  settle(limitMs: number, progress: (line: string) => void): Promise<boolean>
  /** Ends core and service in order. */
  end(): Promise<void>
  /** Ends whatever still runs. */
  stop(): Promise<void>
}

export async function createWorld({ program, sabotage = 'none', folder: given, onMessage }: WorldOptions): Promise<World> {
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'aside-chaos-')))
  await mkdir(folder, { recursive: true })
  const folders: ChaosFolders = {
    desktop: join(folder, 'desktop'),
    service: join(folder, 'service'),
    journal: join(folder, 'journal.jsonl')
  }
  const proxies = { grpc: await createProxy(), http: await createProxy() }
  const both = [proxies.grpc, proxies.http]
  const asker = createAsker()
  const incidents: string[] = []
  let core: CoreVictim | null = null
  let service: ServiceVictim | null = null
  let lives = 0

  const alive = (): CoreVictim => {
    if (core === null) throw new Error('there is no core to talk to')
    return core
  }

  const world: World = {
    folder,
    folders,
    proxies,
    both,
    asker,
    incidents,
    launchService() {
      const begun = startService(folders)
      service = begun
      begun.ready.then(
        (doors) => {
          if (service !== begun) return
          proxies.grpc.lead(doors.grpc)
          proxies.http.lead(doors.http)
        },
        (error: unknown) => {
          // One that was killed while it started is `service` no more; this one needs a look.
          if (service === begun) incidents.push(String(error))
        }
      )
      return begun
    },
    async loseService(how) {
      const old = service
      service = null
      await old?.[how]()
      for (const proxy of both) proxy.lead(null)
    },
    launchCore() {
      lives += 1
      const life = lives
      core = startCore(folders, { grpc: proxies.grpc.address, http: proxies.http.address }, program, sabotage)
      core.onMessage((message) => {
        asker.hear(message)
        onMessage?.(message, life)
      })
      return core
    },
    async bringCore() {
      const begun = world.launchCore()
      const incident = await begun.ready
      if (incident !== null) incidents.push(incident)
      asker.meet((message) => begun.say(message))
    },
    async loseCore() {
      asker.lose()
      const old = core
      core = null
      await old?.kill()
    },
    tell: (message) => core?.say(message),
    session: async (title) => (await alive().answerTo({ kind: 'session', title }, 'session')).id,
    async onTheirWay() {
      const { open, failed, link } = await alive().answerTo({ kind: 'open' }, 'open')
      return { count: asker.open + open, words: `${asker.open} not accepted, ${open} on their way, ${failed} failed, link ${link}` }
    },
    settle(limitMs, progress) {
      for (const proxy of both) {
        proxy.blockWebSockets(false)
        proxy.mend()
      }
      world.tell({ kind: 'recheck' })
      return world.arrive(limitMs, progress)
    },
    async arrive(limitMs, progress) {
      let fewest = Number.POSITIVE_INFINITY
      let limit = 0
      for (let looks = 1; ; looks += 1) {
        const { count, words } = await world.onTheirWay()
        if (count === 0) return true
        if (count < fewest) {
          fewest = count
          limit = Date.now() + limitMs
        } else if (Date.now() > limit) {
          return false
        }
        if (looks % 20 === 0) progress(`settling: ${words}`)
        await pause(50)
      }
    },
    async end() {
      await core?.answerTo({ kind: 'stop' }, 'stopped')
      await core?.gone
      await world.loseService('terminate')
    },
    async stop() {
      await Promise.all([core?.kill(), service?.kill()])
      await Promise.all(both.map((proxy) => proxy.stop()))
    }
  }
  return world
}
