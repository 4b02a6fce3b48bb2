// An nginx of a test's own, with the configuration that docs/examples/nginx.conf recommends: only addresses are put in its place.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A process of the service; `ASIDE_NODE` of the first is `a`, of the second `b`. Each address `host:port`. */
export interface NginxNode {
  readonly http: string
  readonly grpc: string
}

export interface NginxServer extends AsyncDisposable {
  /** `host:port` */
  readonly http: string
  readonly grpc: string
}

/** Whether tests that want nginx can run here; `.ci/run` installs it. */
export const hasNginx = ((): boolean => {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

const EXAMPLE = fileURLToPath(new URL('../../docs/examples/nginx.conf', import.meta.url))
/** Ends nginx when its own input ends: with `stop`, or with this process, killed or not. */
const KEEPER = `folder=$1; nginx -e "$folder/error.log" -p "$folder" -c "$folder/nginx.conf" & child=$!; cat > /dev/null; kill -TERM $child 2> /dev/null; wait $child 2> /dev/null; rm -rf "$folder"`
const START_WITHIN_MS = 10_000

export async function startNginx(nodes: readonly [NginxNode, NginxNode]): Promise<NginxServer> {
  const folder = await mkdtemp(join(tmpdir(), 'aside-nginx-'))
  const [http, grpc] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  await writeFile(join(folder, 'aside.conf'), configured(await readFile(EXAMPLE, 'utf8'), { http, grpc, nodes }))
  await writeFile(join(folder, 'nginx.conf'), mainConfig(folder))
  const keeper = spawn('sh', ['-c', KEEPER, 'sh', folder], { stdio: ['pipe', 'ignore', 'inherit'] })
  const stop = async (): Promise<void> => {
    const exited = keeper.exitCode === null && keeper.signalCode === null ? once(keeper, 'exit') : Promise.resolve()
    keeper.stdin.end()
    await exited
  }
  const until = Date.now() + START_WITHIN_MS
  while (!((await accepts(http)) && (await accepts(grpc)))) {
    if (Date.now() > until) {
      const log = await readFile(join(folder, 'error.log'), 'utf8')
      await stop()
      throw new Error(`nginx did not start:\n${log}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return {
    http,
    grpc,
    async [Symbol.asyncDispose]() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

interface Places {
  readonly http: string
  readonly grpc: string
  readonly nodes: readonly [NginxNode, NginxNode]
}

/** Throws when the example no longer has an address that it should have. */
function configured(example: string, { http, grpc, nodes: [a, b] }: Places): string {
  const places = [
    ['10.0.0.11:8080', a.http],
    ['10.0.0.12:8080', b.http],
    ['10.0.0.11:50051', a.grpc],
    ['10.0.0.12:50051', b.grpc],
    ['listen 80;', `listen ${http};`],
    ['listen 50051 http2;', `listen ${grpc} http2;`]
  ] as const
  return places.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`docs/examples/nginx.conf has no "${from}"`)
    return text.replaceAll(from, to)
  }, example)
}

/** What a machine's own nginx.conf has around it. */
function mainConfig(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`)
  return [
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'daemon off;',
    'worker_processes 1;',
    `pid ${folder}/nginx.pid;`,
    `error_log ${folder}/error.log;`,
    'events { worker_connections 4096; }',
    `http { access_log off; ${temporary.join(' ')} include ${folder}/aside.conf; }`,
    ''
  ].join('\n')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function accepts(address: string): Promise<boolean> {
  const [host, port] = address.split(':')
  return new Promise((resolve) => {
    const socket = connect(Number(port), host)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
