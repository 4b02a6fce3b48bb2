// The migration step of chat sessions, their messages and events from outside.

export const sessionTables = `
  -- 'consultant': made by the service. 'thread': named by the client, so its name is only its owner's.
  CREATE TABLE chat_session (
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    session_id TEXT NOT NULL,
    client_name TEXT NOT NULL,
    context TEXT NOT NULL,
    meeting_type TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, kind, session_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX chat_session_recent ON chat_session (user_id, kind, created_at, session_id);

  CREATE TABLE chat_message (
    position INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    session_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    role TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- A person's message: pending, answered, failed. An answer: unread, delivered.
    state TEXT NOT NULL,
    -- A pending message: who asked, and the question with its turn id. An answer: what it replies to, and its model.
    details TEXT NOT NULL,
    UNIQUE (user_id, kind, message_id),
    FOREIGN KEY (user_id, kind, session_id) REFERENCES chat_session (user_id, kind, session_id) ON DELETE CASCADE
  ) STRICT;
  CREATE INDEX chat_message_session ON chat_message (user_id, kind, session_id, position);
  CREATE INDEX chat_message_pending ON chat_message (user_id, position) WHERE state = 'pending';
  CREATE INDEX chat_message_unread ON chat_message (user_id, kind, position) WHERE state = 'unread';

  CREATE TABLE external_event (
    source TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    handled_at INTEGER,
    PRIMARY KEY (source, delivery_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX external_event_waiting ON external_event (received_at, event_id) WHERE handled_at IS NULL;
  CREATE INDEX external_event_id ON external_event (event_id);
`
