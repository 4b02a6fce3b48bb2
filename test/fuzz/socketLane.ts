// A lane of a socket dialect. What the service must answer goes over one connection that stays open, and its replies are counted;
// what ends a connection gets one of its own.
import { v7 as uuidv7 } from 'uuid'
import { rawFrames, type Connection, type Dial, type Outgoing } from './connection.ts'
import { GOOD_MS, within, type Batch, type FuzzedDialect, type Lane, type Replies, type Target } from './fuzz.ts'
import { hostileText, type Chance } from './hostile.ts'
import { createTally, type Tally } from './tally.ts'

/** One message as it goes out, and how many replies are due to it. */
export interface Sending {
  readonly message: Outgoing
  readonly due: number
  /** So many more may come. */
  readonly open?: number
  /** The transport may end the connection for it. */
  readonly breaks?: boolean
}

export interface Heard {
  /** The id of the good message that it answers. */
  readonly answers?: string | undefined
  /** The id of the good message that it puts off. */
  readonly putsOff?: string | undefined
}

/** What is said over one connection: knows what it has sent, and counts what comes of it. */
export interface Talk {
  bad(chance: Chance): Sending
  /** A good message that is known again by its id. */
  good(id: string): Sending
  /** Throws for what is not specified. */
  hear(text: string): Heard
}

export interface SocketDialect {
  readonly name: string
  /** Where bytes that are no frames are sent. */
  readonly path: string
  readonly dial: Dial
  talk(target: Target, tally: Tally): Talk
}

/** Close codes that a message which ends its connection may have: of RFC 6455, and the specified ones; 1005 is engine.io's; 0, 200 and 400 those of polling. */
const closeCodes = new Set([0, 200, 400, 413, 1000, 1002, 1003, 1005, 1006, 1007, 1009, 4001, 4002, 4003, 4004, 1008])
const PUT_OFF_MS = 20
/** Lets the service answer between some of them. */
const AT_ONCE = 20
const CONNECTIONS_AT_ONCE = 8

export function socketDialect(dialect: SocketDialect): FuzzedDialect {
  return { name: dialect.name, open: (target) => openLane(dialect, target) }
}

/** Of the batch that is under way. */
interface Ear {
  readonly tally: Tally
  readonly talk: Talk
  readonly waiting: Map<string, () => void>
  readonly connection: Connection
}

async function open(dialect: SocketDialect, target: Target): Promise<Ear> {
  const tally = createTally(target.patienceMs)
  const talk = dialect.talk(target, tally)
  const waiting = new Map<string, () => void>()
  const again = (id: string): void => {
    if (waiting.has(id)) say({ tally, connection }, talk.good(id))
  }
  const connection = await dialect.dial(target, (text) => {
    try {
      const { answers, putsOff } = talk.hear(text)
      if (answers !== undefined) waiting.get(answers)?.()
      if (putsOff !== undefined) setTimeout(() => again(putsOff), PUT_OFF_MS)
    } catch (error) {
      tally.fault(new Error(`${error instanceof Error ? error.message : String(error)} in ${text.slice(0, 500)}`))
    }
  })
  return { tally, talk, waiting, connection }
}

function say({ tally, connection }: Pick<Ear, 'tally' | 'connection'>, { message, due, open: more }: Sending): void {
  tally.sent(due, more)
  connection.send(message)
}

async function openLane(dialect: SocketDialect, target: Target): Promise<Lane> {
  const ear = await open(dialect, target)
  let told: Replies = { due: 0, open: 0, came: 0 }
  return {
    async batch({ size, chance }: Batch) {
      const breaking: Sending[] = []
      for (let n = 0; n < size; n += 1) {
        if (chance.next() < 0.003) {
          await rawFrames(spoiltAddress(dialect.path, chance), target, chance)
          continue
        }
        const sending = ear.talk.bad(chance)
        if (sending.breaks === true) breaking.push(sending)
        else say(ear, sending)
        if (n % AT_ONCE === AT_ONCE - 1) await ear.connection.flushed()
      }
      for (let at = 0; at < breaking.length; at += CONNECTIONS_AT_ONCE)
        await Promise.all(breaking.slice(at, at + CONNECTIONS_AT_ONCE).map((sending) => provoke(dialect, target, sending)))
      await unbroken(ear, ear.tally.settled())
      await unbroken(ear, goodAnswer(ear))
      // Once more: what comes after everything has come is too much.
      await unbroken(ear, ear.tally.settled())
      const { due, open: perhaps, came } = ear.tally.replies
      const before = told
      told = ear.tally.replies
      return { due: due - before.due, open: perhaps - before.open, came: came - before.came }
    },
    close: () => ear.connection.end()
  }
}

/** Nothing on this connection may end it. */
async function unbroken({ connection, tally }: Ear, waited: Promise<void>): Promise<void> {
  const ended = connection.closed.then((code) => {
    throw new Error(`the connection was ended with ${code} (${JSON.stringify(tally.replies)})`)
  })
  await Promise.race([waited, ended])
}

async function goodAnswer(ear: Ear): Promise<void> {
  const id = uuidv7()
  const answered = new Promise<void>((resolve) => ear.waiting.set(id, resolve))
  say(ear, ear.talk.good(id))
  await within(GOOD_MS, 'the good message was not answered', answered)
  ear.waiting.delete(id)
}

/** A connection for one message that may end it: then with a code that is specified; else a good message must be answered. */
async function provoke(dialect: SocketDialect, target: Target, sending: Sending): Promise<void> {
  const ear = await open(dialect, { ...target, person: target.other })
  say(ear, sending)
  const code = await Promise.race([ear.connection.closed, goodAnswer(ear).then(() => null)])
  await ear.connection.end()
  // Nobody waits for that answer any more.
  for (const release of ear.waiting.values()) release()
  if (code !== null && !closeCodes.has(code))
    throw new Error(`a close code that is not specified: ${code} for ${JSON.stringify(sending.message).slice(0, 400)}`)
}

function spoiltAddress(path: string, chance: Chance): string {
  const wild = (): string => encodeURIComponent(hostileText(chance).toWellFormed()).slice(0, 500)
  const mark = path.includes('?') ? '&' : '?'
  const name = chance.pick(['session_id', 'message_id', 'token', 'sid', 'EIO', wild()])
  return chance.next() < 0.5 ? path : `${path}${mark}${name}=${wild()}`
}
