// What the command line asks for. Pure.
import { parseArgs } from 'node:util'
import { cleanText } from '../../shared/kit/text.ts'
import { MAX_QUESTION_LENGTH, quickActions, type QuickAction } from '../../shared/turn.ts'

export const USAGE = `Ask Aside from the terminal.

  npm run --silent ask -- "question" [--session NAME] [--action NAME] [--json]
  npm run --silent ask -- -            reads the question from standard input
  npm run --silent ask -- --toggle     shows or hides the overlay of the running Aside
  npm run --silent ask -- --show       shows the overlay; with a question, puts it into the field

  --session NAME   the session to ask in; it is made if there is none with this title
  --action NAME    ${quickActions.join(', ')}
  --json           prints the turn's events, one a line
  --help           this text

It hands the question to the running Aside, or starts it without windows.
Exit codes: 0 answered, 2 bad usage, 3 kept because offline, 4 failed.
Environment: ASIDE_DATA_DIR, ASIDE_SERVICE_URL (grpc://host:port or http://host:port), ASIDE_TOKEN.
`

export type Wish =
  | {
      readonly kind: 'ask'
      /** null: from standard input. */
      readonly text: string | null
      readonly session: string | null
      readonly action: QuickAction | null
      readonly json: boolean
    }
  | { readonly kind: 'show'; readonly what: 'overlay' | 'toggle'; readonly text: string | null }
  | { readonly kind: 'help' }
  /** Bad usage: one sentence that says what is wrong. */
  | { readonly kind: 'wrong'; readonly message: string }

const wrong = (message: string): Wish => ({ kind: 'wrong', message })

export function parseArguments(argv: readonly string[]): Wish {
  try {
    return wishOf(argv)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return wrong(cleanText(error.message.split('. ')[0] ?? error.message)) // parseArgs says what it did not know
  }
}

function wishOf(argv: readonly string[]): Wish {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      session: { type: 'string', short: 's' },
      action: { type: 'string' },
      json: { type: 'boolean', default: false },
      toggle: { type: 'boolean', default: false },
      show: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  })
  if (values.help) return { kind: 'help' }
  const [text, ...more] = positionals
  if (more.length > 0) return wrong('There is more than one question. Put the question in quotes')
  if (values.toggle) return text === undefined ? { kind: 'show', what: 'toggle', text: null } : wrong('--toggle takes no question')
  if (values.show) return { kind: 'show', what: 'overlay', text: text ?? null }
  if (text === undefined) return wrong('There is no question')
  const session = values.session === undefined ? null : cleanText(values.session).trim()
  if (session === '' || (session !== null && session.length > 200)) return wrong('The name of a session has 1 to 200 characters')
  const action = values.action === undefined ? null : quickActions.find((one) => one === values.action)
  if (action === undefined) return wrong(`--action must be one of ${quickActions.join(', ')}`)
  return { kind: 'ask', text: text === '-' ? null : text, session, action, json: values.json }
}

/** What is wrong with a question, in one sentence; null when it can be asked. */
export function faultOf(question: string): string | null {
  const length = cleanText(question).trim().length
  if (length === 0) return 'The question is empty'
  if (length > MAX_QUESTION_LENGTH)
    return `The question has ${length.toLocaleString('en')} characters; ${MAX_QUESTION_LENGTH.toLocaleString('en')} is the most`
  return null
}
