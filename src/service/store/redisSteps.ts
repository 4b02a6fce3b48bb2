// Scripts of Redis that travel together: what is asked for within a tick, or under load within a few ms, goes there in one call and
// runs one step after the other. So the price of a call, and of the flush of Redis' file, is shared by many turns (docs/adr/0057).
import { createHash } from 'node:crypto'
import { ErrorReply } from 'redis'

/** What a script answers: integers, strings, lists of those, nothing. */
export type RedisReply = number | string | null | readonly RedisReply[]
export type RedisScript = (keys: readonly string[], values: readonly string[]) => Promise<RedisReply>

/** All steps as one script, and the name by which Redis knows it once it has seen it. */
export interface RedisProgram {
  readonly name: string
  readonly text: string
}

export interface RedisStepsOptions {
  readonly call: (program: RedisProgram, keys: string[], values: string[]) => Promise<unknown>
  /** What a step's refusal is to its caller. */
  readonly translate: (error: unknown) => unknown
}

interface Step {
  /** Which script, counted from 1 as Lua does. */
  readonly script: number
  readonly keys: readonly string[]
  readonly values: readonly string[]
  readonly resolve: (reply: RedisReply) => void
  readonly reject: (error: unknown) => void
}

/** In one call, during which Redis listens to nobody else: at some 15 µs each it takes a few ms. */
const MOST_STEPS = 512
/** From one call to the next: few steps wait for nothing, many so long that calls take only a small part of a core however much is asked. */
const PACE_MS_PER_STEP = 0.5
const LONGEST_PACE_MS = 4

/** Redis 6 says in front of a refusal where in the script it was. */
const PLACE = /^@user_script: ?\d+: -?/

/** Before the values of each step: which one it is, and how many keys and values it takes. One that fails takes no other down. */
const RUN = `
local answers, key, at = {}, 0, 0
local function taken(all, after, count)
  local some = {}
  for i = 1, count do some[i] = all[after + i] end
  return some
end
while at < #ARGV do
  local keys, values = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local isDone, answer = pcall(steps[tonumber(ARGV[at + 1])], taken(KEYS, key, keys), taken(ARGV, at + 3, values))
  key, at = key + keys, at + 3 + values
  if isDone then answers[#answers + 1] = { answer }
  else answers[#answers + 1] = type(answer) == 'table' and answer.err or tostring(answer) end
end
return answers`

/** Each `lua` is known from then on as a step; the result asks for it. Rejects with what `call` does. */
export function createRedisSteps({ call, translate }: RedisStepsOptions): (lua: string) => RedisScript {
  const scripts: string[] = []
  let program: RedisProgram | null = null
  let waiting: Step[] = []
  let isScheduled = false
  /** By the monotonic clock: no call before. */
  let earliest = Number.NEGATIVE_INFINITY

  const answer = async (steps: readonly Step[]): Promise<void> => {
    program ??= programOf(scripts)
    const keys: string[] = []
    const values: string[] = []
    for (const step of steps) {
      keys.push(...step.keys)
      values.push(String(step.script), String(step.keys.length), String(step.values.length), ...step.values)
    }
    const answers = await call(program, keys, values)
    if (!Array.isArray(answers) || answers.length !== steps.length) throw new TypeError('steps of Redis were not answered one by one')
    for (const [index, { resolve, reject }] of steps.entries()) {
      const one: unknown = answers[index]
      if (Array.isArray(one)) resolve(asReply(one[0] ?? null))
      else reject(translate(new ErrorReply(String(one).replace(PLACE, ''))))
    }
  }

  const go = (): void => {
    isScheduled = false
    const steps = waiting
    waiting = []
    earliest = performance.now() + Math.min(LONGEST_PACE_MS, steps.length * PACE_MS_PER_STEP)
    for (let start = 0; start < steps.length; start += MOST_STEPS) {
      const some = steps.slice(start, start + MOST_STEPS)
      answer(some).catch((error: unknown) => {
        for (const { reject } of some) reject(error)
      })
    }
  }

  const schedule = (): void => {
    if (isScheduled) return
    isScheduled = true
    const pauseMs = earliest - performance.now()
    if (pauseMs >= 1) setTimeout(go, pauseMs)
    else setImmediate(go)
  }

  return (lua) => {
    const script = scripts.push(lua)
    program = null
    return (keys, values) =>
      new Promise((resolve, reject) => {
        waiting.push({ script, keys, values, resolve, reject })
        schedule()
      })
  }
}

function programOf(scripts: readonly string[]): RedisProgram {
  const functions = scripts.map((lua) => `function(KEYS, ARGV)\n${lua}\nend`)
  const text = `local steps = { ${functions.join(',\n')} }${RUN}`
  return { name: createHash('sha1').update(text).digest('hex'), text }
}

function asReply(reply: unknown): RedisReply {
  if (reply === null || typeof reply === 'number' || typeof reply === 'string') return reply
  if (Array.isArray(reply)) return reply.map(asReply)
  throw new TypeError(`a script answered with ${typeof reply}`)
}
