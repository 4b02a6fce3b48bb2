// Exports as ChatGPT makes them: conversations as trees of nodes, alone or in a zip. Shaped after real ones; no words of anybody.
import { crc32, deflateRawSync } from 'node:zlib'

export interface NodeInput {
  readonly role?: string
  readonly text?: string
  readonly content?: unknown
  readonly metadata?: unknown
  readonly at?: number | null
  /** Index of the node before; the one above where absent. */
  readonly parent?: number
}

/** A conversation whose nodes follow one another unless they say otherwise; the last one is what was shown. */
export function chatgptConversation(id: string, nodes: readonly NodeInput[], change: Record<string, unknown> = {}): Record<string, unknown> {
  const name = (index: number): string => `${id}-n${index}`
  const parentOf = (index: number): string => (index === 0 ? 'client-created-root' : name(nodes[index]?.parent ?? index - 1))
  const mapping: Record<string, unknown> = {
    'client-created-root': { id: 'client-created-root', message: null, parent: null, children: childrenOf('client-created-root') }
  }
  function childrenOf(parent: string): string[] {
    return nodes.flatMap((_node, index) => (parentOf(index) === parent ? [name(index)] : []))
  }
  for (const [index, node] of nodes.entries()) {
    mapping[name(index)] = {
      id: name(index),
      parent: parentOf(index),
      children: childrenOf(name(index)),
      message: {
        id: name(index),
        author: { role: node.role ?? (index % 2 === 0 ? 'user' : 'assistant'), name: null, metadata: {} },
        create_time: node.at === undefined ? 1_700_000_000.25 + index : node.at,
        update_time: null,
        content: node.content ?? { content_type: 'text', parts: [node.text ?? `Message ${index} of ${id}`] },
        status: 'finished_successfully',
        end_turn: true,
        weight: 1,
        metadata: node.metadata ?? {},
        recipient: 'all',
        channel: null
      }
    }
  }
  return {
    title: `Conversation ${id}`,
    create_time: 1_700_000_000.25,
    update_time: 1_700_000_100.5,
    mapping,
    moderation_results: [],
    current_node: name(nodes.length - 1),
    plugin_ids: null,
    conversation_id: id,
    conversation_template_id: null,
    gizmo_id: null,
    is_archived: false,
    safe_urls: [],
    default_model_slug: 'gpt-4o',
    id,
    ...change
  }
}

export interface ZipEntryInput {
  readonly name: string
  readonly data: string | Uint8Array
  /** Sets the flag that says so; the bytes stay as they are. */
  readonly encrypted?: boolean
  /** What the directory claims instead of the truth. */
  readonly claimedSize?: number
  readonly claimedCrc?: number
}

/** A zip, byte by byte, so that it can also be a wrong one (APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.16). */
export function zipOf(entries: readonly ZipEntryInput[]): Buffer {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, data, encrypted = false, claimedSize, claimedCrc } of entries) {
    const raw = Buffer.from(data)
    const packed = deflateRawSync(raw)
    const nameBytes = Buffer.from(name)
    const flags = (encrypted ? 1 : 0) | 0x800
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(flags, 2)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(claimedCrc ?? crc32(raw), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(claimedSize ?? raw.length, 18)
    common.writeUInt16LE(nameBytes.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, nameBytes, packed])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, nameBytes]))
    files.push(local)
    offset += local.length
  }
  const listing = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(listing.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...files, listing, Buffer.from('PK\x05\x06', 'latin1'), end])
}
