// Step 1: sessions, messages, turns, the outbox, the usage ledger, and what the search index needs to know about itself.
import type { Migration } from './migration.ts'

export const firstFormat: Migration = {
  version: 1,
  name: 'first format',
  up: (db) => {
    db.exec(`
      CREATE TABLE facts (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE sessions (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        client_name TEXT NOT NULL,
        meeting_type TEXT NOT NULL,
        project_context TEXT NOT NULL,
        service_types TEXT NOT NULL,
        cloud_providers TEXT NOT NULL,
        custom_fields TEXT NOT NULL,
        notes TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('active', 'archived')),
        pinned INTEGER NOT NULL CHECK (pinned IN (0, 1)),
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        last_activity_at INTEGER NOT NULL,
        expires_at INTEGER,
        message_count INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE INDEX sessions_in_order ON sessions (status, pinned DESC, last_activity_at DESC, number DESC);
      CREATE INDEX sessions_of_client ON sessions (client_name);

      -- Position orders a transcript: a question takes one and keeps the next for its answer.
      -- indexed_length: how many UTF-16 code units of the text the search index holds; what it must forget is known from it.
      CREATE TABLE messages (
        position INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
        turn INTEGER REFERENCES turns (number),
        role TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
        created_at INTEGER NOT NULL,
        quick_action TEXT,
        indexed_length INTEGER NOT NULL DEFAULT 0,
        text TEXT NOT NULL
      ) STRICT;
      CREATE INDEX messages_of_session ON messages (session);
      CREATE INDEX messages_of_turn ON messages (turn);

      -- carry: the first half of a surrogate pair whose other half has not arrived; text in the database is well-formed.
      CREATE TABLE turns (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
        question INTEGER NOT NULL,
        answer INTEGER,
        context TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('new', 'accepted', 'queued', 'answering', 'done', 'failed', 'cancelled')),
        last_seq INTEGER NOT NULL DEFAULT 0,
        carry INTEGER,
        citations TEXT NOT NULL DEFAULT '[]',
        notices TEXT NOT NULL DEFAULT '[]',
        usage TEXT,
        error TEXT,
        finish TEXT,
        service_message_id TEXT,
        started_at INTEGER,
        first_text_at INTEGER,
        ended_at INTEGER
      ) STRICT;
      CREATE INDEX turns_of_session ON turns (session);
      CREATE INDEX turns_unended ON turns (number) WHERE state IN ('new', 'accepted', 'queued', 'answering');

      CREATE TABLE outbox (
        turn INTEGER PRIMARY KEY REFERENCES turns (number) ON DELETE CASCADE,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'settled', 'failed', 'cancelled')),
        attempts INTEGER NOT NULL DEFAULT 0,
        accepted_at INTEGER NOT NULL,
        next_attempt_at INTEGER,
        confirmed_at INTEGER,
        error TEXT
      ) STRICT;
      CREATE INDEX outbox_open ON outbox (state) WHERE state IN ('waiting', 'sending', 'failed');

      -- Refers to nothing: it outlives the sessions it tells about.
      CREATE TABLE ledger (
        number INTEGER PRIMARY KEY,
        turn_id TEXT NOT NULL UNIQUE,
        session_id TEXT NOT NULL,
        session_title TEXT NOT NULL,
        client_name TEXT NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        cost_micros INTEGER NOT NULL,
        failovers INTEGER NOT NULL,
        first_text_ms REAL,
        total_ms REAL,
        error_code TEXT,
        at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX ledger_at ON ledger (at);
      CREATE INDEX ledger_of_session ON ledger (session_id);

      -- The search index is cut into shards by position, each an FTS5 table made when its first message comes.
      CREATE TABLE shards (number INTEGER PRIMARY KEY) STRICT;
      -- The oldest and newest message of every 1,024 positions: a date range becomes a few ranges of positions.
      CREATE TABLE spans (number INTEGER PRIMARY KEY, from_at INTEGER NOT NULL, to_at INTEGER NOT NULL) STRICT;
    `)
  }
}
