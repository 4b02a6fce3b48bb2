// The service's tables, as numbered steps. A step is never edited once it is on the main branch: add the next one.
import { agentTables } from './agentTables.ts'
import { sessionTables } from './sessionTables.ts'

export const migrations: readonly string[] = [
  // 1: turns and their events, conversation memory, the knowledge index
  `
  CREATE TABLE turn (
    turn_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    question TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seq INTEGER NOT NULL DEFAULT 0,
    has_text INTEGER NOT NULL DEFAULT 0,
    ended_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX turn_unfinished ON turn (created_at) WHERE ended_at IS NULL;
  CREATE INDEX turn_created ON turn (created_at);

  -- One row is what one commit brought: events first_seq to last_seq as a JSON array.
  CREATE TABLE turn_events (
    turn_id TEXT NOT NULL REFERENCES turn ON DELETE CASCADE,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (turn_id, first_seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE message (
    position INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (turn_id, role)
  ) STRICT;
  CREATE INDEX message_session ON message (user_id, session_id, position);

  CREATE TABLE article (
    slug TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    title TEXT NOT NULL,
    provider TEXT NOT NULL,
    topic TEXT NOT NULL,
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    as_of TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE passage (
    passage_id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL REFERENCES article ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    heading TEXT NOT NULL,
    body TEXT NOT NULL,
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    as_of TEXT NOT NULL,
    UNIQUE (slug, ordinal)
  ) STRICT;
  -- Row id is passage_id.
  CREATE VIRTUAL TABLE passage_index USING fts5 (title, heading, tags, body, tokenize = 'porter unicode61 remove_diacritics 2');
  `,
  // what every attempt at an answer cost, and the sums of each month
  `
  CREATE TABLE cost_attempt (
    attempt_id TEXT PRIMARY KEY,
    turn_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    organisation TEXT NOT NULL,
    client TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    at INTEGER NOT NULL,
    month TEXT NOT NULL,
    predicted_micros INTEGER NOT NULL CHECK (predicted_micros >= 0),
    predicted_input_tokens INTEGER NOT NULL,
    -- From here on: written once, when it is settled.
    settled_at INTEGER,
    outcome TEXT,
    input_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cached_tokens INTEGER NOT NULL DEFAULT 0,
    cost_micros INTEGER NOT NULL DEFAULT 0 CHECK (cost_micros >= 0),
    estimated INTEGER NOT NULL DEFAULT 0,
    priced INTEGER NOT NULL DEFAULT 1
  ) STRICT;
  CREATE INDEX cost_attempt_turn ON cost_attempt (turn_id);
  CREATE INDEX cost_attempt_user ON cost_attempt (user_id, at);
  CREATE INDEX cost_attempt_open ON cost_attempt (at) WHERE settled_at IS NULL;

  CREATE TABLE cost_month (
    organisation TEXT NOT NULL,
    client TEXT NOT NULL,
    month TEXT NOT NULL,
    spent_micros INTEGER NOT NULL,
    reserved_micros INTEGER NOT NULL CHECK (reserved_micros >= 0),
    PRIMARY KEY (organisation, client, month)
  ) STRICT, WITHOUT ROWID;
  `,
  // 3: chat sessions, their messages, events from outside
  sessionTables,
  // limits that were lifted for a time, and which organisation a user belongs to
  `
  CREATE TABLE limit_override (
    organisation TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    granted_by TEXT NOT NULL,
    reason TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE account (
    user_id TEXT PRIMARY KEY,
    organisation TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // the documents of clients; each shelf's words are in an index of its own, document_index_<shelf_id>, made with the shelf
  `
  -- Whose meeting it was said in, as it is compared: another client's is not remembered there.
  ALTER TABLE message ADD COLUMN client TEXT NOT NULL DEFAULT '';

  CREATE TABLE knowledge_shelf (
    shelf_id INTEGER PRIMARY KEY,
    organisation TEXT NOT NULL,
    -- As it is compared; '': for every client of the organisation.
    client TEXT NOT NULL,
    UNIQUE (organisation, client)
  ) STRICT;
  CREATE TABLE document (
    document_id TEXT PRIMARY KEY,
    shelf_id INTEGER NOT NULL REFERENCES knowledge_shelf,
    -- As it was written.
    client_name TEXT NOT NULL,
    name TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('folder', 'upload')),
    size_bytes INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    -- Of its last reading; NULL: not read yet.
    hash TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'failed')),
    as_of TEXT NOT NULL,
    remarks TEXT NOT NULL DEFAULT '[]',
    UNIQUE (shelf_id, origin, name)
  ) STRICT;
  CREATE TABLE document_passage (
    passage_id INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL REFERENCES document ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    heading TEXT NOT NULL,
    body TEXT NOT NULL,
    place TEXT NOT NULL,
    UNIQUE (document_id, ordinal)
  ) STRICT;
  `,
  // the agent's inputs, decisions, actions and schedules
  agentTables,
  // what passages mean, for one model; they go with their passages, and an id is never used again
  `
  CREATE TABLE passage_vector (
    vector_id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- 0: the pack, where it is of a passage; else of a document_passage.
    shelf_id INTEGER NOT NULL,
    passage_id INTEGER UNIQUE REFERENCES passage ON DELETE CASCADE,
    document_passage_id INTEGER UNIQUE REFERENCES document_passage ON DELETE CASCADE,
    model TEXT NOT NULL,
    packed BLOB NOT NULL,
    CHECK ((passage_id IS NULL) <> (document_passage_id IS NULL))
  ) STRICT;
  CREATE INDEX passage_vector_shelf ON passage_vector (shelf_id, vector_id);
  `,
  // the events of turns in a table with row ids: without them a row is part of the index's tree, and beyond 1,002 bytes in a page of its own
  `
  CREATE TABLE turn_events_by_row (
    turn_id TEXT NOT NULL REFERENCES turn ON DELETE CASCADE,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    events TEXT NOT NULL,
    UNIQUE (turn_id, first_seq)
  ) STRICT;
  INSERT INTO turn_events_by_row SELECT turn_id, first_seq, last_seq, events FROM turn_events ORDER BY turn_id, first_seq;
  DROP TABLE turn_events;
  ALTER TABLE turn_events_by_row RENAME TO turn_events;
  `
]
