// The protocol page line by line, and the step of the run that shows each line: a line whose step did not run, or did not hold, fails a
// whole run. `step` begins what the step is called, its conversation first.

export interface ProtocolLine {
  /** As the page says it, in short. */
  readonly line: string
  readonly steps: readonly string[]
}

const section = (name: string, lines: Readonly<Record<string, readonly string[] | string>>): ProtocolLine[] =>
  Object.entries(lines).map(([line, steps]) => ({ line: `${name}: ${line}`, steps: [steps].flat() }))

const bodyErrors = 'REST: errors, each with the specified body: '

export const protocolTable: readonly ProtocolLine[] = [
  ...section('gRPC', {
    'Chat, fields 1 to 4 → response, message_id, timestamp': 'gRPC: Chat: answers a message with fields 1 to 4',
    'a client that knows only these numbers': 'gRPC: Chat: needs no more than field 1',
    'StreamChat → content, is_final, message_id': 'gRPC: StreamChat: sends the next piece each time, and marks the last',
    'content is the next piece, never the whole so far': 'gRPC: StreamChat: joined, it is the answer of Chat',
    'HealthCheck → healthy, status': 'gRPC: health and reflection: HealthCheck says healthy',
    'grpc.health.v1.Health': 'gRPC: health and reflection: grpc.health.v1.Health serves',
    'server reflection': 'gRPC: health and reflection: reflection lists ai.AICopilot',
    'bearer token in the metadata': ['gRPC: refusals: a token that is forged', 'gRPC: refusals: Chat refuses no token'],
    'a user_id that differs from the token is refused': 'gRPC: refusals: Chat refuses another user’s id',
    'the AI unavailable': 'gRPC: the AI is unavailable'
  }),
  ...section('ERP WebSocket', {
    'envelope type, data, timestamp, both ways': 'ERP WebSocket: conversation: ai_stream sends the next piece',
    ai_chat: 'ERP WebSocket: conversation: ai_chat answers whole',
    ai_stream: 'ERP WebSocket: conversation: ai_stream sends the next piece',
    ai_status: 'ERP WebSocket: conversation: ai_status tells status, message_id and progress',
    'token in the header': 'ERP WebSocket: conversation: opens with the token in the header',
    'token in Sec-WebSocket-Protocol': 'ERP WebSocket: opening: a browser’s token in a protocol entry',
    'never in the URL': 'ERP WebSocket: close codes, each behind its error event: a token in the address',
    '4001': 'ERP WebSocket: close codes, each behind its error event: the AI unavailable is told 4001',
    '4002': 'ERP WebSocket: close codes, each behind its error event: who sends invalid messages again and again',
    '4003': ['ERP WebSocket: close codes, each behind its error event: a flood', 'limits: the second message of a minute is told 4003'],
    '4004': 'ERP WebSocket: close codes, each behind its error event: who sends invalid context again and again'
  }),
  ...section(
    'ERP Socket.IO',
    Object.fromEntries(
      ['websocket', 'polling'].flatMap((transport) => {
        const talk = `ERP Socket.IO over ${transport}: `
        return [
          [`auth.token (${transport})`, `${talk}opens with auth.token`],
          [`the event is the type, the payload its data (${transport})`, [`${talk}ai_chat answers whole`, `${talk}ai_status`]],
          [`the acknowledgement carries the ids (${transport})`, `${talk}ai_stream: pieces, the last one marked; the acknowledgement has the ids`],
          [`the acknowledgement carries the error (${transport})`, `${talk}an empty message is told 4002 by event and acknowledgement`],
          [`never in the URL (${transport})`, `${talk}a token in the address is refused`],
          [`the error event first, then the close (${transport})`, `${talk}the AI unavailable is told 4001, then the end`]
        ]
      })
    )
  ),
  ...section('Socket.IO', { '4003': 'limits: and over Socket.IO by event and acknowledgement' }),
  ...section('consultant chat', {
    'envelope with session_id, message_id, content, metadata, ISO timestamp': 'consultant chat: WebSocket: opens, takes a message with metadata',
    'message, typing, status': ['consultant chat: WebSocket: opens, takes a message with metadata', 'consultant chat: WebSocket: typing is taken'],
    error: 'consultant chat: WebSocket: an empty message is told 4002',
    'heartbeat: who misses it is dropped': 'consultant chat: heartbeat: a client that misses it is dropped',
    'a reconnection restores the session': 'consultant chat: WebSocket: a reconnection restores the session',
    'only one’s own sessions': ['consultant chat: WebSocket: another user’s session is refused', 'consultant chat: REST: another user’s session']
  }),
  ...section('threads', {
    'send_message → message_sent once durable': 'threads: message_sent comes once the message is durable',
    'ai_typing, ai_response with pieces': 'threads: ai_typing, streamed pieces with is_final false, and the whole answer',
    typing: 'threads: typing is taken',
    'ai_unavailable with a reason': 'threads: a message for an AI that is away is kept: message_sent and ai_unavailable',
    'ai_error with retry_after': 'threads: an empty message is an ai_error with retry_after',
    'kept, and answered when the AI returns': 'threads: it is answered when the AI returns'
  }),
  ...section('REST', {
    'POST /api/ai/chat': 'REST: chat and stream: POST /api/ai/chat',
    'POST /api/ai/stream': 'REST: chat and stream: POST /api/ai/stream',
    'GET /api/ai/status': 'REST: chat and stream: GET /api/ai/status',
    'POST sessions': 'consultant chat: REST: POST makes a session',
    'GET sessions, paged': 'consultant chat: REST: GET lists the caller’s sessions by pages',
    'GET and PUT a session': 'consultant chat: REST: GET reads one, PUT updates its context',
    'DELETE a session': 'consultant chat: REST: DELETE removes it',
    'GET history, limit and before': 'consultant chat: REST: GET history gives messages by limit and before',
    'POST messages': 'consultant chat: REST: POST messages gives the answer',
    'POST /api/webhooks/{source}, signed': ['webhooks: a signed event is acknowledged with 202', 'webhooks: another secret is 401'],
    '/healthz, /readyz': 'REST: probes: /healthz and /readyz need no token',
    '/metrics': 'REST: probes: /metrics is Prometheus text',
    'error body': `${bodyErrors}/api/ai/chat: an empty message is 400`,
    '401': `${bodyErrors}/api/ai/chat: no token is 401`,
    '403': `${bodyErrors}/api/ai/chat: another user’s id is 403`,
    '404': `${bodyErrors}another address is 404`,
    '409': `${bodyErrors}a turn id that was used for another question is 409`,
    '413': `${bodyErrors}/api/ai/chat: a body of 2 MB is 413`,
    '429 with retry_after': 'limits: the second request of a minute is 429',
    '503 with retry_after': `${bodyErrors}the AI unavailable is 503 with retry_after`,
    '504': 'a model that takes too long: is 504 over REST',
    'errorType of socket errors': [
      'threads: an empty message is an ai_error',
      'limits: and over Socket.IO',
      'a model that takes too long: is told 4001'
    ]
  }),
  ...section(
    'upstream',
    Object.fromEntries(
      ['OpenAI', 'an OpenAI-compatible server', 'Ollama', 'Anthropic', 'Gemini', 'Bedrock'].flatMap((provider) => [
        [`${provider}, streaming with usage`, `${provider}: streams its whole answer with usage`],
        [`${provider}: 429, 500, a timeout and a cut stream`, ['429', '500', 'silent', 'hang'].map((fault) => `${provider}: takes ${fault} for`)],
        [`${provider}: a cut stream, and the next answer`, [`${provider}: takes a cut stream`, `${provider}: answers again after each failure`]]
      ])
    )
  ),
  ...section('upstream', {
    'a remote ai.AICopilot': [
      'a remote copilot (our own service): streams, stops',
      'a remote copilot (Python grpcio): streams with the base fields alone',
      'a remote copilot (Python grpcio): is cut after its text, is silent'
    ],
    'several hosts': 'a remote copilot (our own service): goes on with another host when one is gone',
    'a canister, its timeout and reconnection': 'a canister (Python websockets): answers several at once, is timed out, and comes back',
    'a canister’s heartbeat': 'a canister (Python websockets): that answers no heartbeat is left, and found again',
    'built-in local knowledge': 'local knowledge: answers from its passages without any network'
  })
]

/** Lines of which a step did not run, or did not hold; `held` are the steps that did. */
export function unshown(held: readonly string[], table: readonly ProtocolLine[] = protocolTable): string[] {
  return table.filter(({ steps }) => steps.some((wanted) => !held.some((step) => step.startsWith(wanted)))).map(({ line }) => line)
}
