// The `ask` command from its arguments to its exit code, on what it is given: a way to the host and two streams.
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import type { NewId } from '../../shared/kit/clock.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { ServiceTarget } from '../config.ts'
import { isHostGone, type HostConnection } from '../endpoint/client.ts'
import type { EndpointCall, EndpointStatus } from '../endpoint/endpoint.ts'
import { createAnswerPrinter } from './answerPrinter.ts'
import { faultOf, parseArguments, USAGE, type Wish } from './askArguments.ts'

export const EXIT = { answered: 0, usage: 2, queued: 3, failed: 4 } as const

export interface AskCommand {
  readonly argv: readonly string[]
  /** From ASIDE_SERVICE_URL; null: not set. */
  readonly service: ServiceTarget | null
  readonly newId: NewId
  /** A connection to the host that runs; null when none does. */
  connect(): Promise<HostConnection | null>
  /** Starts the same host without windows. @throws CopilotError with what to do. */
  start(): Promise<HostConnection>
  /** The whole standard input. @throws CopilotError `invalid_request` when it is too long. */
  readInput(): Promise<string>
  out(text: string): Promise<void>
  note(text: string): void
  /** Calls back when the person presses Ctrl-C; returns the function that ends it. */
  onInterrupt(task: () => void): () => void
}

export async function runAsk(command: AskCommand): Promise<number> {
  const wish = parseArguments(command.argv)
  try {
    switch (wish.kind) {
      case 'help':
        await command.out(USAGE)
        return EXIT.answered
      case 'wrong':
        return wrongUsage(command, wish.message)
      case 'show':
        return await show(command, wish)
      case 'ask':
        return await ask(command, wish)
    }
  } catch (error) {
    const { code, message } = toCopilotError(error)
    command.note(`${cleanText(message)}\n`)
    return code === 'offline' ? EXIT.queued : code === 'invalid_request' ? EXIT.usage : EXIT.failed
  }
}

function wrongUsage(command: AskCommand, message: string): number {
  command.note(`${message}. See: npm run --silent ask -- --help\n`)
  return EXIT.usage
}

async function show(command: AskCommand, { what, text }: Extract<Wish, { kind: 'show' }>): Promise<number> {
  const connection = await command.connect()
  if (connection === null) throw new CopilotError('unavailable', 'Aside is not running. Start it with: npm start')
  const params = { what, ...(text === null ? {} : { text }) }
  for await (const _reply of connection.call({ method: 'show', params })) continue
  return EXIT.answered
}

async function ask(command: AskCommand, wish: Extract<Wish, { kind: 'ask' }>): Promise<number> {
  const text = wish.text ?? (await command.readInput())
  const fault = faultOf(text)
  if (fault !== null) return wrongUsage(command, fault)
  const turnId = command.newId()
  const params = {
    turnId,
    text,
    ...(wish.session === null ? {} : { sessionName: wish.session }),
    ...(wish.action === null ? {} : { quickAction: wish.action })
  }
  const printer = createAnswerPrinter(turnId, wish.json)

  for (let attempt = 1; ; attempt += 1) {
    const status = await hostStatus(command)
    if (command.service !== null && status.service !== command.service.url) return refuseOtherService(command, status, command.service)
    try {
      return await follow(command, { method: 'ask', params }, printer)
    } catch (error) {
      // A host that was just ending by itself: the same turn id again is the same question.
      if (isHostGone(error) && attempt === 1 && printer.view().lastSeq === 0) continue
      if (error instanceof CopilotError && error.code === 'offline' && !status.windows) {
        command.note(`${cleanText(error.message)}\nAside sends it the next time it runs: npm start, or ask again.\n`)
        return EXIT.queued
      }
      throw error
    }
  }
}

/** Connects to the host, starting it if need be, and hears how it is. */
async function hostStatus(command: AskCommand): Promise<EndpointStatus> {
  const connection = (await command.connect()) ?? (await command.start())
  for await (const reply of connection.call({ method: 'status' })) if (reply.type === 'status') return reply.status
  throw new CopilotError('internal', 'The running Aside did not say how it is. Are both the same version?')
}

function refuseOtherService(command: AskCommand, { service }: EndpointStatus, wanted: ServiceTarget): number {
  const running = service === null ? 'its own service' : service
  command.note(`Aside is running with ${running}, but ASIDE_SERVICE_URL names ${wanted.url}. Quit it first, or ask without ASIDE_SERVICE_URL.\n`)
  return EXIT.usage
}

async function follow(command: AskCommand, call: EndpointCall, printer: ReturnType<typeof createAnswerPrinter>): Promise<number> {
  const connection = await command.connect()
  if (connection === null)
    throw new CopilotError('unavailable', 'Aside ended before it could be asked. Ask again.', { details: { reason: 'host-gone' } })
  const ignore = command.onInterrupt(() => void connection.cancel())
  try {
    for await (const reply of connection.call(call)) {
      if (reply.type !== 'event') continue
      const { out, note } = printer.take(reply.event)
      if (out !== '') await command.out(out)
      if (note !== '') command.note(note)
    }
  } catch (error) {
    // The text stands without its line end; what follows is not part of it.
    if (printer.view().text !== '' && printer.view().endedAt === null) command.note('\n')
    throw error
  } finally {
    ignore()
    connection.close()
  }
  return printer.view().state === 'done' ? EXIT.answered : EXIT.failed
}
