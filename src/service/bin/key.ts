// npm run --silent service:key -- set|remove NAME, or list: the providers' keys of this data folder. A key comes on standard
// input, never as an argument: arguments are seen by everybody on the machine. A running service takes it within a second.
import { parseArgs } from 'node:util'
import { toCopilotError } from '../../shared/errors.ts'
import { processPlaces } from '../config.ts'
import { keyNames, openKeyFile, type KeyName } from '../keys/keyFile.ts'

const usage = `Usage: npm run --silent service:key -- set NAME < file-with-the-key, remove NAME, or list. NAME is one of ${keyNames.join(', ')}.`

class UsageError extends Error {}

function readArguments(): { action: 'list' } | { action: 'set' | 'remove'; name: KeyName } {
  const [action, given, ...rest] = parseArgs({ allowPositionals: true, options: {} }).positionals
  if (action === 'list' && given === undefined) return { action }
  const name = keyNames.find((known) => known === given)
  if (rest.length > 0 || (action !== 'set' && action !== 'remove'))
    throw new UsageError('One action and one name are needed; the key comes on standard input.')
  if (name === undefined) throw new UsageError('That is no provider with a key.')
  return { action, name }
}

const MOST_INPUT_BYTES = 10_000

async function standardInput(): Promise<string> {
  let text = ''
  for await (const part of process.stdin.setEncoding('utf8')) {
    // Read to its end in any case: who writes would otherwise be cut off in the middle.
    if (text.length <= MOST_INPUT_BYTES) text += String(part)
  }
  if (text.length > MOST_INPUT_BYTES) throw new UsageError('That is too long for a key.')
  return text
}

try {
  const order = readArguments()
  const file = await openKeyFile(processPlaces().keysDir)
  if (order.action === 'list') {
    for (const { name, id, setAt } of await file.list()) process.stdout.write(`${name} ${id} ${new Date(setAt).toISOString()}\n`)
  } else if (order.action === 'set') {
    const { id } = await file.set(order.name, await standardInput(), Date.now())
    process.stdout.write(`${id}\n`)
  } else if (!(await file.remove(order.name))) {
    process.stderr.write(`There was no key of ${order.name}.\n`)
    process.exitCode = 1
  }
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  process.stderr.write(`${isUsage ? `${error.message.split('\n')[0]} ${usage}` : toCopilotError(error).message}\n`)
  process.exitCode = isUsage ? 2 : 1
}
