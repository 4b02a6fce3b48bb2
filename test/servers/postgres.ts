// A PostgreSQL of a test's own: in a temporary folder, on a free port, as it ships (fsync on), gone with the test also when that is
// killed. One for a test file; each test takes a database of its own in it.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, chownSync, readdirSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Client } from 'pg'

export interface PostgresServer extends AsyncDisposable {
  /** Of a fresh, empty database. */
  database(): Promise<string>
  /** Of the same server: another database, user or parameter. */
  url(part?: { readonly database?: string; readonly user?: string; readonly password?: string; readonly query?: string }): string
  /** Runs one statement as the superuser, past the service. */
  run(sql: string, database?: string): Promise<readonly Record<string, unknown>[]>
  /** Stops the server as an operator does (connections are broken off) and resolves when it is gone. */
  halt(): Promise<void>
  /** Starts it again, on the same port with the same data. */
  resume(): Promise<void>
}

export interface PostgresOptions {
  /** A certificate and its key in PEM: then it speaks TLS as well. */
  readonly tls?: { readonly certificate: string; readonly key: string }
}

/**
 * The keeper runs as a user that PostgreSQL accepts and does what it is told on its standard input. When that ends, because the test
 * has ended in whatever way, it stops the server and removes the folder.
 */
const KEEPER = `
bin=$1 folder=$2 port=$3
server=
# Nobody may be left to hear what is said at the end.
trap '' PIPE
start() { "$bin/postgres" -D "$folder/data" -p "$port" -k "$folder" -c listen_addresses=127.0.0.1 -c log_min_messages=log $4 & server=$!; }
halt() { if [ -n "$server" ]; then kill "-$1" "$server"; wait "$server"; server=; echo halted >&2; fi; }
umask 077
"$bin/initdb" -D "$folder/data" --no-sync -U aside --pwfile="$folder/password" -A scram-sha-256 -E UTF8 --locale=C >/dev/null || exit 1
while read -r order; do case $order in start) start ;; halt) halt INT ;; esac; done
# At once: nobody wants what is in it any more.
halt QUIT
cd / && rm -rf "$folder"
`

/** Throws when PostgreSQL is not installed (`node tools/run/provision.ts --tests` does that). */
export async function startPostgres({ tls }: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'aside-postgres-'))
  const password = randomBytes(12).toString('hex')
  const owner = runAs()
  await writeFile(join(folder, 'password'), password)
  const files = ['password']
  const settings: string[] = []
  if (tls !== undefined) {
    await writeFile(join(folder, 'server.crt'), tls.certificate)
    await writeFile(join(folder, 'server.key'), tls.key)
    files.push('server.crt', 'server.key')
    settings.push('-c', 'ssl=on', '-c', `ssl_cert_file=${folder}/server.crt`, '-c', `ssl_key_file=${folder}/server.key`)
  }
  for (const path of [folder, ...files.map((file) => join(folder, file))]) {
    chmodSync(path, path === folder ? 0o700 : 0o600)
    if (owner !== null) chownSync(path, owner.uid, owner.gid)
  }
  const port = await freePort()
  // A group of its own: what is sent to the test's group must not take the keeper along before it has cleaned up.
  const keeper = spawn('/bin/sh', ['-c', KEEPER.replace('$4', settings.join(' ')), 'keeper', binaries(), folder, String(port)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    ...owner
  })
  const said = listen(keeper)
  const url: PostgresServer['url'] = ({ database = 'postgres', user = 'aside', password: other = password, query = '' } = {}) =>
    `postgres://${user}:${other}@127.0.0.1:${port}/${database}${query}`
  const tell = async (order: string, answer: string): Promise<void> => {
    const answered = said(answer)
    keeper.stdin?.write(`${order}\n`)
    await answered
  }
  let databases = 0
  const run: PostgresServer['run'] = async (sql, database = 'postgres') => {
    const client = new Client({ connectionString: url({ database }) })
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows
    } finally {
      await client.end()
    }
  }
  const resume = (): Promise<void> => tell('start', 'ready to accept connections')
  await resume()
  return {
    url,
    run,
    resume,
    halt: () => tell('halt', 'halted'),
    async database() {
      databases += 1
      const name = `test_${databases}`
      await run(`CREATE DATABASE ${name}`)
      return url({ database: name })
    },
    async [Symbol.asyncDispose]() {
      const exited = once(keeper, 'exit')
      keeper.stdin?.end()
      await exited
    }
  }
}

/** Resolves with the next line that has these words; rejects with what was said when the keeper ends before. */
function listen(keeper: ChildProcess): (words: string) => Promise<void> {
  if (keeper.stderr === null) throw new Error('the keeper has no standard error')
  const lines: string[] = []
  const waiting = new Set<(line: string | null) => void>()
  createInterface({ input: keeper.stderr })
    .on('line', (line) => {
      lines.push(line)
      for (const hear of waiting) hear(line)
    })
    .on('close', () => {
      for (const hear of waiting) hear(null)
    })
  return (words) =>
    new Promise((resolve, reject) => {
      const hear = (line: string | null): void => {
        if (line !== null && !line.includes(words)) return
        waiting.delete(hear)
        if (line === null) reject(new Error(`PostgreSQL did not start:\n${lines.slice(-20).join('\n')}`))
        else resolve()
      }
      waiting.add(hear)
    })
}

/** PostgreSQL refuses to run as root. */
function runAs(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** The newest that is installed. Debian keeps them off the PATH. */
function binaries(): string {
  const root = '/usr/lib/postgresql'
  const versions = readdirSync(root).filter((name) => /^\d+$/.test(name))
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0]
  if (newest === undefined) throw new Error(`There is no PostgreSQL in ${root}. Install it: node tools/run/provision.ts --tests`)
  return join(root, newest, 'bin')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
