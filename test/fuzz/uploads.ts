// Malformed uploads of knowledge documents: names, clients and types that are none, files with bytes turned, cut off or put in, bodies
// that break off. What is taken is read beside the next ones; the good one comes after them all and is read as well.
import { z } from 'zod'
import { docxOf, docxParagraph, pdfOf } from '../fakes/knowledge-documents.ts'
import { GOOD_MS } from './fuzz.ts'
import { hostileBytes, hostileText, type Chance } from './hostile.ts'
import { httpDialect, sendRaw, wild, type HttpAnswer, type HttpRequest } from './httpLane.ts'

const path = '/api/v1/knowledge/documents'
const samples: readonly (readonly [string, Buffer])[] = [
  ['md', Buffer.from('# Northwind\n\nThe archive has 40 TB.\n\n| a | b |\n| - | - |\n| 1 | 2 |\n')],
  ['html', Buffer.from('<html><body><h1>Northwind</h1><p>The archive has 40 TB.</p><table><tr><th>a</th></tr><tr><td>1</td></tr></table>')],
  ['csv', Buffer.from('class,price\nstandard,"0,023"\narchive,0.004\n')],
  ['txt', Buffer.from('The archive has 40 TB.')],
  ['docx', docxOf(docxParagraph('The archive has 40 TB.'))],
  ['pdf', Buffer.from(await pdfOf([[{ text: 'The archive has 40 TB.' }]]))]
]
/** What is taken costs a file, a row and a reading: most of the messages are refused before. */
const TAKEN = 0.02

/** A file with one to three things wrong. */
function spoiltFile(good: Buffer, chance: Chance): Buffer {
  let file = Buffer.from(good)
  for (let times = 1 + chance.below(3); times > 0; times -= 1) {
    const at = chance.below(file.length + 1)
    const kind = chance.next()
    if (kind < 0.3) file.writeUInt8(chance.below(256), chance.below(Math.max(1, file.length - 1)))
    else if (kind < 0.5) file = file.subarray(0, Math.max(1, at))
    else if (kind < 0.75) file = Buffer.concat([file.subarray(0, at), Buffer.from(hostileText(chance)), file.subarray(at)])
    else if (kind < 0.95) file = Buffer.concat([file.subarray(0, at), hostileBytes(chance, 200), file.subarray(at)])
    else file = Buffer.concat([hostileBytes(chance, 400), Buffer.of(0)])
  }
  return file
}

/** Names that are taken are few, so that documents are replaced while they are read and the library does not grow. */
function badUpload(chance: Chance, token: string): HttpRequest {
  const isTaken = chance.next() < TAKEN
  const [ending, good] = chance.pick(samples)
  const name = `name=${chance.below(5)}.${chance.next() < 0.9 ? ending : chance.pick(samples)[0]}`
  const wrongs = [
    '',
    'name=',
    `name=${wild(chance).slice(0, 2_000)}`,
    `name=${'x'.repeat(500)}.md`,
    `name=..%2f..%2fetc%2fpasswd`,
    'name=a.exe',
    `${name}&${name}`
  ]
  const clients = ['', `&client=${chance.below(3)}`, `&client=${'x'.repeat(300)}`, '&client=a&client=b']
  const types = ['application/octet-stream', 'text/markdown', 'application/json', 'application/pdf', 'x']
  const type = isTaken ? chance.pick(types) : chance.pick([...types, 'multipart/form-data; boundary=x', wild(chance).slice(0, 500)])
  return {
    method: isTaken || chance.next() < 0.95 ? 'POST' : chance.pick(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']),
    path: `${path}?${isTaken ? name : chance.pick(wrongs)}${chance.pick(isTaken ? clients.slice(0, 2) : clients)}`,
    headers: {
      authorization: `Bearer ${token}`,
      ...(chance.next() < 0.95 ? { 'content-type': type } : {})
    },
    body: isTaken || chance.next() < 0.9 ? spoiltFile(good, chance) : null
  }
}

const document = z.strictObject({
  id: z.string().min(1),
  client: z.string(),
  name: z.string().min(1),
  origin: z.literal('upload'),
  state: z.enum(['waiting', 'reading', 'ready', 'failed']),
  progress: z.strictObject({ done: z.number(), total: z.number() }),
  passages: z.number(),
  date: z.string(),
  size_bytes: z.number().positive(),
  added_at: z.string(),
  remarks: z.array(z.string())
})

export const uploads = httpDialect({
  name: 'uploads',
  async prepare(_ask, { http, admin }, chance) {
    const head = `POST ${path}?name=broken.md HTTP/1.1\r\nHost: ${http}\r\nAuthorization: Bearer ${admin}\r\nContent-Type: text/markdown\r\n`
    const length = chance.pick(['Content-Length: 5000', 'Transfer-Encoding: chunked'])
    const answer = await sendRaw(http, Buffer.concat([Buffer.from(`${head}${length}\r\n\r\n`), hostileBytes(chance, 300)]))
    if (answer !== '' && !/^HTTP\/1\.1 4\d\d /.test(answer)) throw new Error(`an upload that breaks off was answered with ${answer.slice(0, 200)}`)
    return ''
  },
  bad(chance, { admin, person }) {
    const who = chance.next()
    return badUpload(chance, who < 0.9 ? admin : who < 0.95 ? person.token : wild(chance).slice(0, 10_000))
  },
  check({ status, headers, text }) {
    if (status === 202) {
      const { id } = document.parse(JSON.parse(text))
      if (headers.location !== `${path}/${id}`) throw new Error(`a document is said to be at ${headers.location}`)
    } else if (status < 400) throw new Error(`an upload was answered with ${status}`)
  },
  good: {
    request: ({ admin, person }) => ({
      method: 'POST',
      path: `${path}?name=good.md&client=${encodeURIComponent(person.userId)}`,
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'text/markdown' },
      body: '# Good\n\nThe archive has 40 TB.'
    }),
    async check(answer, ask, { admin }) {
      const { id } = document.parse(answer.status === 202 ? JSON.parse(answer.text) : answer)
      const look = (): Promise<HttpAnswer> => ask({ method: 'GET', path: `${path}/${id}`, headers: { authorization: `Bearer ${admin}` }, body: null })
      const deadline = performance.now() + GOOD_MS
      for (;;) {
        const found = await look()
        const { state, passages } = document.parse(found.status === 200 ? JSON.parse(found.text) : found)
        if (state === 'ready' && passages > 0) return
        if (state === 'failed' || performance.now() > deadline) throw new Error(`the good document is ${state} with ${passages} passages`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }
})
